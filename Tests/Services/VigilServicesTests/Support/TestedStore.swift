import Foundation
import PostgresAdapter
import PostgresServers
import RelationalEngine
import SQLStores
import VigilPorts
import VigilServices

/// The relational store that the services are tested on: `VIGIL_TEST_STORES` is `embedded` or `postgresql15`, `…17`.
enum TestedStore {
    static let name = ProcessInfo.processInfo.environment["VIGIL_TEST_STORES"] ?? "embedded"
    static var isEmbedded: Bool { name == "embedded" }
    /// How many worlds there may be at once: each has connections of its own, and two processors serve them all.
    static let turns = Turns(isEmbedded ? 64 : 4)

    /// Opens the store of a folder, with its schema; the same folder again gives the same tables.
    static func open(folder: String, clock: any TimeSource) async throws -> any RelationalStore {
        guard isEmbedded else { return try await PostgresStore.open(try await Databases.shared.configuration(folder)) }
        let store = try SQLiteStore(path: folder + "/vigil.db")
        _ = try await SQLiteMigrator(store, backups: nil, clock: clock)
            .up(Migrations.all([.jobs, .search, .geometry]), to: nil, dryRun: false)
        return store
    }

    /// Removes what a server keeps for a folder.
    static func remove(folder: String) async throws {
        if !isEmbedded { try await Databases.shared.remove(folder) }
    }

    /// A server was asked for that is not there.
    struct Absent: Error, CustomStringConvertible {
        var description: String {
            "VIGIL_TEST_STORES=\(TestedStore.name), but no such server runs: Scripts/engines run"
        }
    }

    private actor Databases {
        static let shared = Databases()
        private let template = PostgresServer.all.first { "postgresql\($0.version)" == TestedStore.name }.map {
            PostgresTemplate($0, Migrations.all([.jobs, .search, .geometry]))
        }
        private var known: [String: PostgresDatabase] = [:]

        func configuration(_ folder: String) async throws -> PostgresConfiguration {
            if let database = known[folder] { return database.configuration }
            guard let template else { throw Absent() }
            // Few connections, and patience: a busy machine is no fault of the services.
            let database = try await template.borrow().bounded(connections: 4, patience: .seconds(60))
            known[folder] = database
            return database.configuration
        }

        func remove(_ folder: String) async throws {
            if let database = known.removeValue(forKey: folder) { try await template?.giveBack(database) }
        }
    }
}
