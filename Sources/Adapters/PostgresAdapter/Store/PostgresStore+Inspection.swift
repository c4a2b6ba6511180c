import VigilModel
package import VigilPorts

extension PostgresStore: StoreInspecting {
    /// Version, extensions, sizes, connections, slow statements, and settings against the recommended ones.
    package func inspection() async throws -> [StoreFact] {
        try await read(in: SystemScope.allTenants("inspection")) { transaction in
            try Self.server(transaction) + Self.sizes(transaction) + Self.connections(transaction)
                + Self.settings(transaction) + Self.slowStatements(transaction)
        }
    }

    private static func server(_ transaction: any SQLTransaction) throws -> [StoreFact] {
        let version = try transaction.rows("SELECT current_setting('server_version') AS version").first?
            .get("version", as: String.self)
        let extensions = try transaction.rows(
            "SELECT extname || ' ' || extversion AS name FROM pg_extension ORDER BY 1"
        )
        .map { try $0.get("name", as: String.self) }
        let isStandby =
            try transaction.rows("SELECT pg_is_in_recovery() AS standby").first?.get("standby", as: Bool.self) ?? false
        return [
            StoreFact("relational", "engine", "PostgreSQL \(version ?? "?")\(isStandby ? ", standby" : "")"),
            StoreFact("relational", "extensions", extensions.joined(separator: ", ")),
        ]
    }

    private static func sizes(_ transaction: any SQLTransaction) throws -> [StoreFact] {
        let whole = try transaction.rows("SELECT pg_size_pretty(pg_database_size(current_database())) AS size").first?
            .get("size", as: String.self)
        let tables = try transaction.rows(
            """
            SELECT relname::text AS name, pg_size_pretty(pg_total_relation_size(oid)) AS size FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            ORDER BY pg_total_relation_size(oid) DESC LIMIT 8
            """
        ).map { StoreFact("relational", "table \(try $0.get("name", as: String.self))", try $0.get("size")) }
        return [StoreFact("relational", "size", whole ?? "?")] + tables
    }

    private static func connections(_ transaction: any SQLTransaction) throws -> [StoreFact] {
        let row = try transaction.rows(
            """
            SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS ours,
                (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
                current_setting('max_connections')::int AS most
            """
        ).first
        guard let row else { return [] }
        let (ours, used, most): (Int, Int, Int) = (try row.get("ours"), try row.get("used"), try row.get("most"))
        return [
            StoreFact(
                "relational", "connections", "\(ours) of this database, \(used) of \(most) in all",
                used * 10 > most * 9 ? .warning : .ok)
        ]
    }

    /// The reference pages' settings for a machine of 16 GB; smaller ones are no fault of a smaller machine.
    private static let recommended: [(name: String, value: String)] = [
        ("shared_buffers", "4GB"), ("effective_cache_size", "12GB"), ("maintenance_work_mem", "1GB"),
        ("work_mem", "256MB"), ("max_connections", "200"), ("random_page_cost", "1.1"),
    ]

    private static func settings(_ transaction: any SQLTransaction) throws -> [StoreFact] {
        try recommended.compactMap { name, value in
            let now = try transaction.rows("SELECT current_setting(\(name)) AS value").first?.get(
                "value", as: String.self)
            return StoreFact("relational", name, "\(now ?? "?") (for 16 GB of memory: \(value))")
        }
    }

    private static func slowStatements(_ transaction: any SQLTransaction) throws -> [StoreFact] {
        let isThere = try !transaction.rows(
            "SELECT 1 AS one FROM pg_extension WHERE extname = 'pg_stat_statements'"
        ).isEmpty
        guard isThere else {
            return [StoreFact("relational", "slow statements", "not counted: pg_stat_statements is not installed")]
        }
        return try transaction.rows(
            """
            SELECT left(query, 80) AS query, round(mean_exec_time::numeric, 1)::text AS ms, calls FROM pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            ORDER BY mean_exec_time DESC LIMIT 3
            """
        ).map { row in
            let calls: Int = try row.get("calls")
            return StoreFact(
                "relational", "slow statement",
                "\(try row.get("ms", as: String.self)) ms × \(calls): \(try row.get("query", as: String.self))")
        }
    }
}
