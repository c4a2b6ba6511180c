import Crypto
import Foundation
import SQLiteKit
import VigilModel
package import VigilPorts

/// Moves the schema of a SQLite file.
package struct SQLiteMigrator: SchemaMigrator {
    private let store: SQLiteStore
    private let backups: String?
    private let clock: any TimeSource

    /// - Parameter backups: The folder that gets a copy of the file before each change; `nil` makes none (tests).
    package init(_ store: SQLiteStore, backups: String?, clock: any TimeSource) {
        self.store = store
        self.backups = backups
        self.clock = clock
    }

    package func status(_ migrations: [Migration]) async throws -> [MigrationStatus] {
        try await store.write(in: Self.scope) { transaction in
            try Self.status(migrations, transaction)
        }
    }

    package func up(_ migrations: [Migration], to target: Int?, dryRun: Bool) async throws -> [MigrationStatus] {
        let statuses = try await status(migrations)
        try MigrationStatus.refuseForeignHistory(statuses)
        let pending = migrations.filter { migration in
            statuses.contains { $0.number == migration.number && $0.state == .pending }
                && migration.number <= target ?? .max
        }
        .sorted { $0.number < $1.number }
        guard !pending.isEmpty else { return [] }
        if dryRun {
            return try await onCopy { migrator in
                var result: [MigrationStatus] = []
                for migration in pending {
                    if let status = try await migrator.apply(migration) { result.append(status) }
                }
                return result
            }
        }
        if statuses.contains(where: { $0.state == .applied }) { try await backUp(before: pending[0]) }
        var applied: [MigrationStatus] = []
        for migration in pending { if let status = try await apply(migration) { applied.append(status) } }
        return applied
    }

    package func down(_ migrations: [Migration], steps: Int, dryRun: Bool) async throws -> [MigrationStatus] {
        if dryRun { return try await onCopy { try await $0.down(migrations, steps: steps, dryRun: false) } }
        let statuses = try await status(migrations)
        try MigrationStatus.refuseForeignHistory(statuses)
        let applied = statuses.filter { $0.state == .applied }.suffix(max(0, steps)).reversed()
        guard let first = applied.first, let newest = migrations.first(where: { $0.number == first.number }) else {
            return []
        }
        try await backUp(before: newest)
        var result: [MigrationStatus] = []
        for status in applied {
            guard let migration = migrations.first(where: { $0.number == status.number }) else { continue }
            try await takeBack(migration)
            result.append(
                MigrationStatus(
                    number: migration.number, name: migration.name, state: .pending, checksum: status.checksum))
        }
        return result
    }

    private static let scope = SystemScope.allTenants("moving the schema")

    /// `nil` when somebody else has applied it since the database was looked at.
    private func apply(_ migration: Migration) async throws -> MigrationStatus? {
        let script = try Migration.rendered(migration.up, for: store.dialect)
        let checksum = Self.checksum(migration)
        let now = clock.now()
        let isOurs = try await store.write(in: Self.scope) { transaction in
            let there = try transaction.rows("SELECT number FROM schema_migrations WHERE number = \(migration.number)")
            guard there.isEmpty else { return false }
            for statement in SQLScript.statements(of: script) { try transaction.execute(SQL(unchecked: statement)) }
            try migration.data?(transaction)
            try transaction.execute(
                """
                INSERT INTO schema_migrations (number, name, checksum, applied)
                VALUES (\(migration.number), \(migration.name), \(checksum), \(now))
                """)
            return true
        }
        guard isOurs else { return nil }
        return MigrationStatus(number: migration.number, name: migration.name, state: .applied, checksum: checksum)
    }

    private func takeBack(_ migration: Migration) async throws {
        let script = try Migration.rendered(migration.down, for: store.dialect)
        try await store.write(in: Self.scope) { transaction in
            for statement in SQLScript.statements(of: script) { try transaction.execute(SQL(unchecked: statement)) }
            try transaction.execute("DELETE FROM schema_migrations WHERE number = \(migration.number)")
        }
    }

    /// Does it to a copy of the file, which is removed again.
    private func onCopy(
        _ body: (SQLiteMigrator) async throws -> [MigrationStatus]
    ) async throws -> [MigrationStatus] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vigil-dry-run-\(EntryID(at: clock.now()))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy = folder.appending(path: "copy.db").path(percentEncoded: false)
        try await store.copy(to: copy)
        let trial = try SQLiteStore(path: copy, readerCount: 1)
        do {
            let result = try await body(SQLiteMigrator(trial, backups: nil, clock: clock))
            await trial.close()
            return result
        } catch {
            await trial.close()
            throw error
        }
    }

    private func backUp(before migration: Migration) async throws {
        guard let backups else { return }
        try FileManager.default.createDirectory(atPath: backups, withIntermediateDirectories: true)
        let stamp = clock.now().description.replacing(":", with: "")
        let name = "\(backups)/\(stamp)-before-\(migration.number)-\(migration.name)"
        var path = name + ".db"
        // Two changes within one tick of the clock must not overwrite each other's way back.
        var count = 1
        while !Self.reserve(path), count < 1000 {
            count += 1
            path = "\(name)-\(count).db"
        }
        try await store.copy(to: path)
    }

    /// Makes an empty file, which the copy then fills; false when there is one of that name.
    private static func reserve(_ path: String) -> Bool {
        (try? Data().write(to: URL(filePath: path), options: .withoutOverwriting)) != nil
    }

    private static func status(_ migrations: [Migration], _ transaction: any SQLTransaction) throws
        -> [MigrationStatus]
    {
        try transaction.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied INTEGER NOT NULL
            ) STRICT
            """)
        let applied = try transaction.rows("SELECT number, name, checksum FROM schema_migrations").map { row in
            AppliedMigration(
                number: try row.get("number"), name: try row.get("name"), checksum: try row.get("checksum"))
        }
        return MigrationStatus.compare(migrations, with: applied, checksum: checksum)
    }

    private static func checksum(_ migration: Migration) -> String {
        SHA256.hash(data: Data((migration.up + "\u{0}" + migration.down).utf8))
            .map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0" + text : text
            }
            .joined()
    }
}
