import VigilModel
package import VigilPorts

/// A table whose rows age.
package struct AgingTable: Sendable {
    package let subject: RetentionSubject
    let name: StaticString
    /// The columns that name a row.
    let key: StaticString
    /// The column that says how old a row is.
    let time: StaticString
    /// Whether rows belong to tenants, each with rules of its own.
    let isOfTenants: Bool
    /// What else must hold of a row that goes.
    let condition: SQL

    package init(
        _ subject: RetentionSubject, _ name: StaticString, key: StaticString = "id", time: StaticString = "time",
        isOfTenants: Bool = true, where condition: SQL = "TRUE"
    ) {
        self.subject = subject
        self.name = name
        self.key = key
        self.time = time
        self.isOfTenants = isOfTenants
        self.condition = condition
    }

    /// The tables of the core.
    package static let core = [
        AgingTable(.audit, "audit_entries"),
        AgingTable(.ingest, "ingest_log"),
        AgingTable(.job, "jobs", time: "updated", where: "state = 'done'"),
        // The last entry that a consumer has read stays, for it proves that none after it was taken away. `ready` is no
        // consumer: it is where ``Readiness`` tries to write.
        AgingTable(
            .outbox, "outbox", key: "position", isOfTenants: false,
            where: """
                position < (SELECT MIN(position) FROM consumer_cursors WHERE consumer <> 'ready')
                AND (SELECT COUNT(*) FROM consumer_cursors
                    WHERE consumer IN (\(Projector.consumer), \(SearchProjection.consumer))) = 2
                """),
        AgingTable(
            .idempotency, "idempotency_keys", key: "tenant_id, request_key", time: "expires", isOfTenants: false),
        AgingTable(.log, "application_logs", isOfTenants: false),
    ]

    /// Which rows are past their time.
    private func expired(_ tenant: TenantID?, before bound: Timestamp) -> SQL {
        var sql: SQL = "\(SQL(unchecked: time.description)) < \(bound) AND \(condition)"
        if isOfTenants { sql += tenant.map { " AND tenant_id = \($0)" } ?? " AND tenant_id IS NULL" }
        return sql
    }

    /// Takes away at most `limit` rows, the oldest first, and says how many.
    func remove(
        _ tenant: TenantID?, before bound: Timestamp, limit: Int, in transaction: any SQLTransaction
    ) throws -> Int {
        let (table, key) = (SQL(unchecked: name.description), SQL(unchecked: key.description))
        return try transaction.execute(
            """
            DELETE FROM \(table) WHERE (\(key)) IN (
                SELECT \(key) FROM \(table) WHERE \(expired(tenant, before: bound))
                ORDER BY \(SQL(unchecked: time.description)) LIMIT \(limit))
            """)
    }

    /// How many rows would go, counted up to `limit`, and the oldest of them.
    func count(
        _ tenant: TenantID?, before bound: Timestamp, limit: Int, in transaction: any SQLTransaction
    ) throws -> (count: Int, oldest: Timestamp?) {
        let (table, time) = (SQL(unchecked: name.description), SQL(unchecked: time.description))
        let row = try transaction.rows(
            """
            SELECT COUNT(*) AS n, MIN(age) AS oldest FROM (
                SELECT \(time) AS age FROM \(table) WHERE \(expired(tenant, before: bound)) LIMIT \(limit)) AS aged
            """
        ).first
        return (try row?.get("n") ?? 0, try row?.optional("oldest"))
    }
}
