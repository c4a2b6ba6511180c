import VigilModel
import VigilPorts

extension PostgresMigrator {
    /// What the database has.
    ///
    /// A database without the table has nothing.
    static func applied(_ wire: Wire) throws -> [AppliedMigration] {
        let there = WireRequest("SELECT to_regclass('schema_migrations') IS NOT NULL", isPrepared: false)
        guard try wire.run([there]).last?.rows.first?.first == .boolean(true) else { return [] }
        let list = WireRequest(
            "SELECT number, name, checksum FROM schema_migrations ORDER BY number", isPrepared: false)
        return try wire.run([list]).last?.rows.map { row in
            let row = SQLRow(columns: ["number", "name", "checksum"], values: row)
            return AppliedMigration(
                number: try row.get("number"), name: try row.get("name"), checksum: try row.get("checksum"))
        } ?? []
    }

    static func apply(_ migration: Migration, on wire: Wire, _ configuration: PostgresConfiguration) throws {
        try inTransaction(wire, configuration) { transaction in
            try advance(migration, in: transaction)
        }
    }

    /// Applies everything in one transaction and takes it back: what would fail, fails, and nothing stays.
    static func rehearse(_ migrations: [Migration], on wire: Wire, _ configuration: PostgresConfiguration) throws {
        let transaction = OwnerTransaction(wire, configuration)
        defer { transaction.rollBack() }
        for migration in migrations { try advance(migration, in: transaction) }
    }

    static func revert(_ migration: Migration, on wire: Wire, _ configuration: PostgresConfiguration) throws {
        try inTransaction(wire, configuration) { transaction in try takeBack(migration, in: transaction) }
    }

    /// Takes back in one transaction, which is then rolled back.
    static func rehearseReverting(
        _ migrations: [Migration], on wire: Wire, _ configuration: PostgresConfiguration
    ) throws {
        let transaction = OwnerTransaction(wire, configuration)
        defer { transaction.rollBack() }
        for migration in migrations { try takeBack(migration, in: transaction) }
    }

    private static func takeBack(_ migration: Migration, in transaction: OwnerTransaction) throws {
        try transaction.script(try Migration.rendered(migration.down, for: PostgresDialect()))
        try transaction.execute("DELETE FROM schema_migrations WHERE number = \(migration.number)")
    }

    private static func advance(_ migration: Migration, in transaction: OwnerTransaction) throws {
        try transaction.script(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL,
                checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())
            """)
        try transaction.script(try Migration.rendered(migration.up, for: PostgresDialect()))
        try migration.data?(transaction)
        let sum = compare([migration], []).first?.checksum ?? ""
        try transaction.execute(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES (\(migration.number), \(migration.name), \(sum))"
        )
    }

    private static func inTransaction(
        _ wire: Wire, _ configuration: PostgresConfiguration, _ body: (OwnerTransaction) throws -> Void
    ) throws {
        let transaction = OwnerTransaction(wire, configuration)
        do {
            try body(transaction)
            try transaction.commit()
        } catch {
            transaction.rollBack()
            throw error
        }
    }

    /// Lifts the outbox above every position that was ever given, after a restore into a server with lower numbers.
    static func realignOutbox(_ wire: Wire) throws {
        let there = WireRequest("SELECT to_regclass('outbox_epoch') IS NOT NULL", isPrepared: false)
        guard try wire.run([there]).last?.rows.first?.first == .boolean(true) else { return }
        _ = try wire.run([
            WireRequest(
                """
                UPDATE outbox_epoch SET shift = needed.shift FROM (
                    SELECT (SELECT coalesce(max(position), 0) >> 20 FROM outbox) + 1
                        - pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS shift
                ) AS needed WHERE needed.shift > outbox_epoch.shift
                """, isPrepared: false)
        ])
    }
}
