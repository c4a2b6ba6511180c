import ConnectionKit
import Foundation
import VigilModel
package import VigilPorts

extension PostgresStore: StoreInspecting {
    /// Version, extensions, sizes, connections, the pool, slow statements, and settings against the recommended ones.
    package func inspection() async throws -> [StoreFact] {
        let roles = [configuration.tenantRole, configuration.systemRole, "none"]
        let pool = configuration.pool.maximum
        let facts = try await read(in: SystemScope.allTenants("inspection")) { transaction in
            try Self.server(transaction) + Self.sizes(transaction) + Self.connections(transaction, pool: pool)
                + Self.settings(transaction) + Self.slowStatements(transaction, roles)
        }
        return facts + Self.use(of: "pool", statistics)
            + (replicaStatistics.map { Self.use(of: "standby pool", $0) } ?? [])
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
            SELECT relname::text AS name, pg_size_pretty(pg_total_relation_size(oid)) AS size,
                greatest(reltuples, 0)::bigint AS rows FROM pg_class
            WHERE relkind IN ('r', 'm') AND relnamespace = current_schema()::regnamespace
            ORDER BY pg_total_relation_size(oid) DESC, relname LIMIT 100
            """
        ).map { row in
            let (name, size, count): (String, String, Int) = (
                try row.get("name"), try row.get("size"), try row.get("rows")
            )
            return StoreFact("relational", "table \(name)", "\(size), about \(count) rows")
        }
        return [StoreFact("relational", "size", whole ?? "?")] + tables
    }

    // MARK: Connections

    /// Connections in use against every limit that stops the next one.
    ///
    /// `pg_stat_activity` shows a plain role little of other roles' sessions; the counters of the databases show all.
    private static func connections(_ transaction: any SQLTransaction, pool: Int) throws -> [StoreFact] {
        let row = try transaction.rows(
            """
            SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int AS used,
                (SELECT numbackends FROM pg_stat_database WHERE datname = current_database())::int AS ours,
                (SELECT count(*) FROM pg_stat_activity WHERE usename = session_user)::int AS mine,
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
                (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_limit,
                (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user) AS role_limit
            """
        ).first
        guard let row else { return [] }
        let (used, most): (Int, Int) = (try row.get("used"), try row.get("most"))
        var facts = [use("connections", used, of: most, "of the server")]
        for (name, count, limit) in [("database", "ours", "database_limit"), ("login", "mine", "role_limit")] {
            let (count, limit): (Int, Int) = (try row.get(count), try row.get(limit))
            if limit >= 0 { facts.append(use("connections of the \(name)", count, of: limit, "of the \(name)")) }
        }
        // One more listens to the other processes.
        if pool + 1 > most {
            facts.append(
                StoreFact(
                    "relational", "connections", "postgres.pool asks for \(pool) and one more, the server has \(most)",
                    .warning))
        }
        return facts
    }

    private static func use(_ name: String, _ used: Int, of most: Int, _ whose: String) -> StoreFact {
        let isTight = used * 10 >= most * 9
        return StoreFact(
            "relational", name, "\(used) of \(most) \(whose)\(isTight ? ": nearly none is left" : "")",
            isTight ? .warning : .ok)
    }

    private static func use(of name: String, _ pool: PoolStatistics) -> [StoreFact] {
        let isTight = pool.waiting > 0 || pool.timeouts > 0 || pool.breaker != "closed"
        let waits = String(format: "%.3f s together", pool.waitTime / .seconds(1))
        return [
            StoreFact(
                "relational", name,
                """
                \(pool.idle) idle, \(pool.busy) busy, \(pool.waiting) waiting, at most \(pool.maximum); since the start \
                \(pool.opened) opened, \(pool.failures) failed, \(pool.lost) lost, \(pool.reconnects) opened again; \
                \(pool.waited) calls had to wait, \(waits), \(pool.timeouts) in vain\
                \(pool.breaker == "closed" ? "" : "; the server is being left alone (\(pool.breaker))")
                """, isTight ? .warning : .ok)
        ]
    }

    // MARK: Settings

    /// The reference pages' settings, as shares of the 16 GB that they are for.
    private static let memory: [(name: String, megabytes: Int)] = [
        ("shared_buffers", 4096), ("effective_cache_size", 12288), ("maintenance_work_mem", 1024), ("work_mem", 256),
    ]

    /// A server on this machine is held to this machine's memory, another one to what the pages say.
    private static func settings(_ transaction: any SQLTransaction) throws -> [StoreFact] {
        let isHere =
            try transaction.rows(
                "SELECT coalesce(inet_server_addr() = inet_client_addr(), true) AS here"
            ).first?.get("here", as: Bool.self) ?? false
        let installed = isHere ? Int(ProcessInfo.processInfo.physicalMemory >> 20) : 16384
        let place = isHere ? "for this machine" : "for 16 GB of memory"
        var facts = try memory.map { name, megabytes in
            let row = try transaction.rows(
                "SELECT current_setting(\(name)) AS value, pg_size_bytes(current_setting(\(name))) AS bytes"
            ).first
            let (value, bytes): (String, Int) = (try row?.get("value") ?? "?", try row?.get("bytes") ?? 0)
            let wanted = max(1, megabytes * installed / 16384)
            // Less than half is worth a word; a server that shares its machine may well have less than all.
            let isSmall = bytes >> 20 < wanted / 2
            return StoreFact(
                "relational", name, "\(value) (\(place): \(wanted)MB)\(isSmall ? ": less than half of it" : "")",
                isSmall ? .warning : .ok)
        }
        let row = try transaction.rows(
            """
            SELECT current_setting('max_connections')::int AS connections,
                current_setting('random_page_cost')::double precision AS cost
            """
        ).first
        let (connections, cost): (Int, Double) = (try row?.get("connections") ?? 0, try row?.get("cost") ?? 0)
        facts.append(
            StoreFact("relational", "max_connections", "\(connections) (200)", connections < 100 ? .warning : .ok))
        facts.append(
            StoreFact(
                "relational", "random_page_cost", "\(cost) (1.1\(cost > 2 ? ", unless the disks turn" : ""))",
                cost > 2 ? .warning : .ok))
        return facts
    }

    // MARK: Statements

    /// A mean of more than this is worth a warning.
    private static let slowMilliseconds = 1000.0

    /// A role without `pg_read_all_stats` sees the text of its own statements only, so each of ours is asked.
    private static func slowStatements(_ transaction: any SQLTransaction, _ roles: [String]) throws -> [StoreFact] {
        let isThere = try !transaction.rows(
            "SELECT 1 AS one FROM pg_extension WHERE extname = 'pg_stat_statements'"
        ).isEmpty
        guard isThere else {
            return [
                StoreFact(
                    "relational", "slow statements",
                    "not counted: put pg_stat_statements into shared_preload_libraries and CREATE EXTENSION it")
            ]
        }
        var seen: [(milliseconds: Double, calls: Int, text: String)] = []
        for role in roles {
            _ = try transaction.rows("SELECT set_config('role', \(role), true) AS worn")
            let rows = try transaction.rows(
                """
                SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 120) AS query, mean_exec_time AS ms, calls
                FROM pg_stat_statements
                WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND userid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
                ORDER BY mean_exec_time DESC LIMIT 5
                """)
            for row in rows { seen.append((try row.get("ms"), try row.get("calls"), try row.get("query"))) }
        }
        return seen.sorted { $0.milliseconds > $1.milliseconds }.prefix(5).map { statement in
            StoreFact(
                "relational", "slow statement",
                String(format: "%.1f ms × %d: ", statement.milliseconds, statement.calls) + statement.text,
                statement.milliseconds > slowMilliseconds ? .warning : .ok)
        }
    }
}
