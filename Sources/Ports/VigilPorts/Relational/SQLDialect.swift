package import VigilModel

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
    /// The rows of `search_documents` that a full-text query finds: a SELECT of `number` and `rank`, greater is better.
    func fullTextMatches(_ query: FullTextQuery, tenant: TenantID) -> SQL
    /// Whether the box of a row of `geometry_features` touches one of `boxes`.
    func boxTouches(_ boxes: [GeometryBox]) -> SQL
    /// Statements to run before rows of a table that `condition` names change or go, for indexes that stand beside it.
    func beforeChange(of table: IndexedTable, where condition: SQL) -> [SQL]
    /// Statements to run after rows of a table that `condition` names came or changed, for indexes that stand beside it.
    func afterChange(of table: IndexedTable, where condition: SQL) -> [SQL]
    /// Replaces the placeholders of migration files (`{{id}}`, `{{time}}`, `{{json}}`, …) by the engine's types.
    func type(named placeholder: String) -> String?
}

/// A table that an engine may need another table beside, to find its rows.
package enum IndexedTable: Sendable, Hashable {
    /// `search_documents`, found by words.
    case documents
    /// `geometry_features`, found by place.
    case features
}
