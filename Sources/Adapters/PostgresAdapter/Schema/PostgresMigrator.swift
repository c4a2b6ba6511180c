import ConnectionKit
import Crypto
package import VigilPorts

/// Moves the schema of a PostgreSQL database, by command only: a server's database belongs to more than one process.
///
/// It works as the login of the connection string, which owns the tables; everything else works as roles that own
/// nothing (``RowSecurity``). An advisory lock lets one process migrate at a time.
package struct PostgresMigrator: SchemaMigrator {
    let configuration: PostgresConfiguration
    /// Called before anything is changed; throws to stop.
    let backup: @Sendable () async throws -> Void
    /// How long to wait for another process that migrates.
    let patience: Duration

    package init(
        _ configuration: PostgresConfiguration, patience: Duration = .seconds(30),
        backup: @escaping @Sendable () async throws -> Void
    ) {
        self.configuration = configuration
        self.backup = backup
        self.patience = patience
    }

    package func status(_ migrations: [Migration]) async throws -> [MigrationStatus] {
        try await session { wire in Self.compare(migrations, try Self.applied(wire)) }
    }

    package func up(_ migrations: [Migration], to target: Int?, dryRun: Bool) async throws -> [MigrationStatus] {
        let before = try await status(migrations)
        try MigrationStatus.refuseForeignHistory(before)
        let pending = before.filter { $0.state == .pending && $0.number <= target ?? .max }
        // With nothing to do the roles are still made sure of: a restored database brings its tables, not its roles.
        // Of a database without a schema there is nothing to copy.
        if !pending.isEmpty, !dryRun, before.contains(where: { $0.state == .applied }) { try await backup() }
        let configuration = configuration
        return try await locked { wire in
            // Another process may have migrated meanwhile.
            let statuses = Self.compare(migrations, try Self.applied(wire))
            try MigrationStatus.refuseForeignHistory(statuses)
            let pending = Set(statuses.filter { $0.state == .pending && $0.number <= target ?? .max }.map(\.number))
            let chosen = migrations.filter { pending.contains($0.number) }.sorted { $0.number < $1.number }
            if dryRun {
                try Self.rehearse(chosen, on: wire, configuration)
            } else {
                try RowSecurity(configuration).prepareRoles(wire)
                for migration in chosen { try Self.apply(migration, on: wire, configuration) }
                try RowSecurity(configuration).apply(wire)
                try Self.realignOutbox(wire)
            }
            return Self.compare(migrations, try Self.applied(wire)).filter { pending.contains($0.number) }
        }
    }

    package func down(_ migrations: [Migration], steps: Int, dryRun: Bool) async throws -> [MigrationStatus] {
        let before = try await status(migrations)
        try MigrationStatus.refuseForeignHistory(before)
        guard steps > 0, before.contains(where: { $0.state == .applied }) else { return [] }
        if !dryRun { try await backup() }
        let configuration = configuration
        return try await locked { wire in
            let statuses = Self.compare(migrations, try Self.applied(wire))
            try MigrationStatus.refuseForeignHistory(statuses)
            let last = statuses.filter { $0.state == .applied }.suffix(steps).reversed()
            let chosen = last.compactMap { status in migrations.first { $0.number == status.number } }
            if dryRun {
                try Self.rehearseReverting(chosen, on: wire, configuration)
            } else {
                for migration in chosen { try Self.revert(migration, on: wire, configuration) }
            }
            return Array(last)
        }
    }

    static func compare(_ migrations: [Migration], _ applied: [AppliedMigration]) -> [MigrationStatus] {
        MigrationStatus.compare(migrations, with: applied) { migration in
            SHA256.hash(data: Array((migration.up + "\u{1}" + migration.down).utf8))
                .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
    }

    // MARK: Sessions

    private func session<Result: Sendable>(
        _ body: @escaping @Sendable (Wire) throws -> Result
    ) async throws -> Result {
        var patient = configuration
        // Building an index may take long.
        patient.statementTimeout = .seconds(3600)
        do {
            let connection = try await PostgresConnection.open(patient, url: patient.url, session: "read-write")
            do {
                let result = try await connection.use(body)
                await connection.close()
                return result
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            throw PostgresStore.storeError(error)
        }
    }

    /// Runs `body` while no other process migrates this database.
    private func locked<Result: Sendable>(
        _ body: @escaping @Sendable (Wire) throws -> Result
    ) async throws -> Result {
        let giveUp = ContinuousClock.now + patience
        while true {
            let result: Result? = try await session { wire in
                let key: [SQLValue] = [.text("vigil migrations")]
                let lock = WireRequest("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key)
                guard try wire.run([lock]).last?.rows.first?.first == .boolean(true) else { return nil }
                return try body(wire)
            }
            if let result { return result }
            guard .now < giveUp else { throw StoreError(.locked, "Another process is migrating this database") }
            try await SystemPoolClock().wait(until: .now + .milliseconds(100))
        }
    }
}
