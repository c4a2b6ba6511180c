import RelationalEngine
import SQLStores
import VigilModel
import VigilPorts
import VigilServices

#if Postgres
import PostgresAdapter
#endif

/// Which relational store the configuration names, how it is opened, and how its schema is moved.
enum RelationalChoice {
    case sqlite(path: String, backups: String)
    #if Postgres
    case postgres(PostgresConfiguration, PostgresDump.Place)
    #endif

    /// The engines that this program holds.
    static var present: [String] {
        #if Postgres
        ["sqlite", "postgresql"]
        #else
        ["sqlite"]
        #endif
    }

    /// - Throws: ``ConfigurationFault`` for an engine that this program does not hold.
    init(_ settings: Settings) throws {
        try Self.refuse(settings.configuration.entries["stores.relational"], unless: Self.present)
        #if Postgres
        if settings.configuration.required("stores.relational") == "postgresql" {
            self = .postgres(
                try PostgresConfiguration(settings.configuration),
                PostgresDump.Place(
                    folder: settings.data + "/backups", program: settings.configuration.text("postgres.pg_dump")))
            return
        }
        #endif
        self = .sqlite(path: settings.data + "/vigil.db", backups: settings.data + "/backups")
    }

    /// A store that this program does not hold stops the start; it is never replaced by another in silence.
    static func refuse(_ entry: LoadedConfiguration.Entry?, unless present: [String]) throws(ConfigurationFault) {
        guard let entry, let value = entry.values.first, !present.contains(value) else { return }
        throw ConfigurationFault(
            key: entry.key.name, value: value,
            allowed: "\(present.joined(separator: " or ")): this program was built without that adapter",
            source: entry.source)
    }

    /// Opens the store; an embedded one is brought up to date, a server's must be.
    ///
    /// A server's database belongs to more than one process, so its schema is moved by command only.
    /// - Throws: ``SchemaBehind`` when it is not what this program needs.
    func open(clock: any TimeSource) async throws -> any RelationalStore {
        let all = Migrations.all(StoreFactory.migrations)
        switch self {
        case .sqlite(let path, let backups):
            let store = try SQLiteStore(path: path)
            _ = try await SQLiteMigrator(store, backups: backups, clock: clock).up(all, to: nil, dryRun: false)
            return store
        #if Postgres
        case .postgres(let configuration, _):
            let statuses = try await PostgresMigrator(configuration, backup: {}).status(all)
            try MigrationStatus.refuseForeignHistory(statuses)
            let pending = statuses.count { $0.state == .pending }
            guard pending == 0 else { throw SchemaBehind(pending: pending) }
            return try await PostgresStore.open(configuration)
        #endif
        }
    }

    /// Opens the store without a look at its schema, for `vigil doctor`.
    func openAsItIs() async throws -> any RelationalStore {
        switch self {
        case .sqlite(let path, _): try SQLiteStore(path: path)
        #if Postgres
        case .postgres(let configuration, _): try await PostgresStore.open(configuration)
        #endif
        }
    }

    /// Runs `body` with what moves the schema.
    func withMigrator<Result: Sendable>(
        makesBackup: Bool, clock: any TimeSource, _ body: @Sendable (any SchemaMigrator) async throws -> Result
    ) async throws -> Result {
        switch self {
        case .sqlite(let path, let backups):
            let store = try SQLiteStore(path: path)
            do {
                let result = try await body(
                    SQLiteMigrator(store, backups: makesBackup ? backups : nil, clock: clock))
                await store.close()
                return result
            } catch {
                await store.close()
                throw error
            }
        #if Postgres
        case .postgres(let configuration, let place):
            return try await body(
                PostgresMigrator(configuration) {
                    guard makesBackup else { return }
                    let version = try await PostgresAdministration.serverVersion(configuration)
                    try PostgresDump(configuration, place, now: clock.now().description).run(server: version)
                })
        #endif
        }
    }
}

/// A server's schema is older than this program.
struct SchemaBehind: Error, CustomStringConvertible {
    let pending: Int

    var description: String {
        "the database's schema is \(pending) migrations behind this program; move it with: vigil migrate up"
    }
}
