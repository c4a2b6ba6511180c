import Foundation
import VigilPorts
import VigilServices

/// Moves the schema of a data folder, for `vigil migrate`.
///
/// Takes the folder: no server may hold it.
package struct SchemaCare: Sendable {
    /// One migration and how the folder stands to it.
    package struct Line: Codable, Sendable {
        package var number: Int
        package var name: String
        /// pending, applied, changed or unknown.
        package var state: String
    }

    private let settings: Settings
    private let makesBackup: Bool

    package init(_ settings: Settings, makesBackup: Bool = true) {
        self.settings = settings
        self.makesBackup = makesBackup
    }

    package func status() async throws -> [Line] {
        try await withMigrator { migrator, all in try await migrator.status(all) }
    }

    /// Applies what is pending, up to `target`; a dry run does it to a copy.
    package func up(to target: Int?, dryRun: Bool) async throws -> [Line] {
        try await withMigrator { migrator, all in try await migrator.up(all, to: target, dryRun: dryRun) }
    }

    /// Takes the newest migrations back; a dry run does it to a copy.
    package func down(steps: Int, dryRun: Bool = false) async throws -> [Line] {
        try await withMigrator { migrator, all in try await migrator.down(all, steps: steps, dryRun: dryRun) }
    }

    /// Writes the two files of a new migration into `folder`, with the next number.
    ///
    /// - Returns: Their paths.
    package static func new(_ name: String, in folder: String) throws -> [String] {
        let word = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        let present = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { Int($0.prefix(4)) }
        let known = Migrations.all(StoreFactory.migrations).map(\.number)
        let number = ((present + known).max() ?? 0) + 1
        let digits = String(number)
        let stem = String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_" + String(word)
        let (up, down) = ("\(folder)/\(stem).up.sql", "\(folder)/\(stem).down.sql")
        let example = """
            -- What this changes, and why.
            --
            -- Types: {{id}} {{text}} {{int}} {{real}} {{bool}} {{time}} {{json}} {{bytes}}; a table ends with {{strict}}.
            -- Lines between `-- only: sqlite` (or postgresql) and `-- end` are for one engine.

            """
        try Data(example.utf8).write(to: URL(filePath: up), options: .withoutOverwriting)
        try Data("-- Takes back what \(stem).up.sql did.\n".utf8)
            .write(to: URL(filePath: down), options: .withoutOverwriting)
        return [up, down]
    }

    private func withMigrator(
        _ body: @Sendable (any SchemaMigrator, [Migration]) async throws -> [MigrationStatus]
    ) async throws -> [Line] {
        let folder = try DataFolder(settings.data)
        defer { withExtendedLifetime(folder) {} }
        let statuses = try await RelationalChoice(settings).withMigrator(
            makesBackup: makesBackup, clock: SystemClock()
        ) { migrator in try await body(migrator, Migrations.all(StoreFactory.migrations)) }
        return statuses.map { Line(number: $0.number, name: $0.name, state: "\($0.state)") }
    }
}
