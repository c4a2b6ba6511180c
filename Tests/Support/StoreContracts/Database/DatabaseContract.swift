/// The contract of `RelationalStore` and `SchemaMigrator` as far as a clause needs a database that nobody else uses.
///
/// What can share one is in ``RelationalContract``.
package enum DatabaseContract {
    package typealias Clause = StoreClause<DatabaseSubject>

    package static var clauses: [Clause] {
        transactions + isolation + values + statements + constructs + dialect + outbox + migrations + lifetime
    }
}
