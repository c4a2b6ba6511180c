import ConnectionKit
import Foundation
import PostgresAdapter
import StoreContracts
import Testing
import VigilModel
import VigilPorts

/// The servers that `Scripts/engines run` has started.
struct PostgresServer: Sendable, CustomTestStringConvertible {
    let version: Int
    /// A connection string of an administrator.
    let url: String

    var testDescription: String { "PostgreSQL \(version)" }

    static let all: [PostgresServer] = [15, 17].compactMap { version in
        ProcessInfo.processInfo.environment["VIGIL_TEST_POSTGRES\(version)"].map {
            PostgresServer(version: version, url: $0)
        }
    }

    static var areRequired: Bool {
        ProcessInfo.processInfo.environment["VIGIL_REQUIRE", default: ""].contains("engines")
    }

    /// A new database whose owner is a plain login, with `migrations`.
    func database(_ migrations: [Migration] = RelationalContract.migrations) async throws -> PostgresDatabase {
        let name = "t" + TenantID(at: Timestamp(seconds: 0)).description.filter { $0 != "-" }.suffix(20)
        try await administer(in: "postgres", ["CREATE ROLE \(name) LOGIN CREATEROLE PASSWORD 'plain'"])
        try await administer(in: "postgres", ["CREATE DATABASE \(name) OWNER \(name)"])
        var configuration = PostgresConfiguration(url: Self.url(url, database: name))
        configuration.user = name
        configuration.password = "plain"
        configuration.tenantRole = "\(name)_tenant"
        configuration.systemRole = "\(name)_system"
        configuration.pool.maximum = 8
        if !migrations.isEmpty {
            _ = try await PostgresMigrator(configuration, backup: {}).up(migrations, to: nil, dryRun: false)
        }
        return PostgresDatabase(server: self, name: name, configuration: configuration)
    }

    /// Runs statements as the administrator, each on its own.
    func administer(in database: String, _ statements: [String]) async throws {
        try await PostgresAdministration.run(Self.url(url, database: database), statements)
    }

    static func url(_ url: String, database: String) -> String {
        (url.split(separator: "/").dropLast().joined(separator: "/")).replacing(":/", with: "://", maxReplacements: 1)
            + "/" + database
    }
}

struct PostgresDatabase: Sendable {
    let server: PostgresServer
    let name: String
    let configuration: PostgresConfiguration
}

/// One database per server for all clauses of the contract, made when first needed.
actor ContractStores {
    static let shared = ContractStores()
    private var stores: [Int: Task<PostgresStore, any Error>] = [:]

    func store(on server: PostgresServer) async throws -> PostgresStore {
        let task =
            stores[server.version]
            ?? Task {
                try await PostgresStore.open(try await server.database().configuration)
            }
        stores[server.version] = task
        return try await task.value
    }
}
