/// What SQLite and PostgreSQL write differently, by name.
///
/// Columns and expressions are given as `SQL`, so that values in them stay bound.
package protocol SQLDialect: Sendable {
    /// `sqlite` or `postgresql`.
    var name: String { get }

    /// The member of a JSON column as text, or NULL.
    ///
    /// `path` is a list of member names.
    func jsonText(_ column: SQL, _ path: [String]) -> SQL
    /// Whether `text` contains `part`, ignoring case for ASCII letters.
    ///
    /// `part` is taken literally.
    func containsText(_ text: SQL, _ part: String) -> SQL
    /// All values of a group but NULL as one text, in the order of `orderBy`: one expression, which ` DESC` may follow.
    ///
    /// NULL for none.
    func joinedText(_ expression: SQL, separator: String, orderBy: SQL) -> SQL
    /// All values of a group as a JSON list.
    func jsonList(_ expression: SQL) -> SQL
    /// `least`/`greatest` of two non-NULL expressions.
    func lesser(_ left: SQL, _ right: SQL) -> SQL
    func greater(_ left: SQL, _ right: SQL) -> SQL
    /// Ends a SELECT of rows that a worker takes: skips rows that others have locked, where the engine has row locks.
    var forUpdateSkippingLocked: SQL { get }
    /// Replaces the placeholders of migration files (`{{id}}`, `{{time}}`, `{{json}}`, …) by the engine's types.
    func type(named placeholder: String) -> String?
}
