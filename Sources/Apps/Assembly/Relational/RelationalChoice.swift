import ConnectionKit
import Foundation
import PostgresAdapter
import RelationalEngine
import SQLStores
import VigilModel
import VigilPorts
import VigilServices

/// Which relational store the configuration names, how it is opened, and how its schema is moved.
enum RelationalChoice {
    case sqlite(path: String, backups: String)
    case postgres(PostgresConfiguration, backups: String)

    init(_ settings: Settings, folder: DataFolder) throws {
        switch settings.configuration.required("stores.relational") {
        case "postgresql":
            self = .postgres(try PostgresConfiguration(settings.configuration), backups: folder.backups)
        default:
            self = .sqlite(path: folder.database, backups: folder.backups)
        }
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
        case .postgres(let configuration, _):
            let statuses = try await PostgresMigrator(configuration, backup: {}).status(all)
            try MigrationStatus.refuseForeignHistory(statuses)
            let pending = statuses.count { $0.state == .pending }
            guard pending == 0 else { throw SchemaBehind(pending: pending) }
            return try await PostgresStore.open(configuration)
        }
    }

    /// Opens the store without a look at its schema, for `vigil doctor`.
    func openAsItIs() async throws -> any RelationalStore {
        switch self {
        case .sqlite(let path, _): try SQLiteStore(path: path)
        case .postgres(let configuration, _): try await PostgresStore.open(configuration)
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
        case .postgres(let configuration, let backups):
            return try await body(
                PostgresMigrator(configuration) {
                    guard makesBackup else { return }
                    try PostgresDump(configuration, folder: backups, now: clock.now().description).run()
                })
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

extension PostgresConfiguration {
    /// - Throws: ``ConfigurationFault`` when nothing says where the server is.
    init(_ configuration: LoadedConfiguration) throws {
        if let url = configuration.text("postgres.url") {
            self.init(url: url)
        } else if let host = configuration.text("postgres.host") {
            let pairs = [
                ("host", host), ("port", configuration.required("postgres.port")),
                ("dbname", configuration.required("postgres.database")),
                ("user", configuration.required("postgres.user")),
            ]
            self.init(url: pairs.map { "\($0.0)='\(Self.quoted($0.1))'" }.joined(separator: " "))
        } else {
            throw ConfigurationFault(
                key: "postgres.url", value: nil,
                allowed: "set (or postgres.host), because stores.relational is postgresql",
                source: configuration.entries["stores.relational"]?.source ?? "default")
        }
        password = configuration.text("postgres.password")
        tenantRole = configuration.required("postgres.tenant_role")
        systemRole = configuration.required("postgres.system_role")
        pool.maximum = configuration.integer("postgres.pool")
    }

    private static func quoted(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    }
}

/// A copy of a PostgreSQL database, made with its own tool before its schema is moved.
struct PostgresDump {
    /// Why there is no copy.
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    private let configuration: PostgresConfiguration
    private let folder: String
    private let now: String

    init(_ configuration: PostgresConfiguration, folder: String, now: String) {
        self.configuration = configuration
        self.folder = folder
        self.now = now
    }

    func run() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = "\(folder)/\(now.replacing(":", with: ""))-before-migration.dump"
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "pg_dump", "--format=custom", "--enable-row-security", "--no-password", "--file", path,
            "--dbname", Self.withoutPassword(configuration.url).url,
        ]
        var environment = ProcessInfo.processInfo.environment
        // A password among the arguments would show in the list of processes.
        if let password = configuration.password ?? Self.withoutPassword(configuration.url).password {
            environment["PGPASSWORD"] = password
        }
        process.environment = environment
        let complaints = Pipe()
        process.standardError = complaints
        try process.run()
        let said = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let first = String(decoding: said, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
            throw Failed(
                description:
                    "no copy was made, so nothing was changed: pg_dump: \(first) (--without-backup goes on without one)"
            )
        }
    }

    /// A connection string in two: `postgresql://user:password@host/…` without its password, and that.
    static func withoutPassword(_ url: String) -> (url: String, password: String?) {
        guard let scheme = url.range(of: "://"), let at = url[scheme.upperBound...].firstIndex(of: "@"),
            let colon = url[scheme.upperBound..<at].firstIndex(of: ":")
        else { return (url, nil) }
        let password = String(url[url.index(after: colon)..<at])
        return (String(url[..<colon]) + url[at...], password.removingPercentEncoding ?? password)
    }
}
