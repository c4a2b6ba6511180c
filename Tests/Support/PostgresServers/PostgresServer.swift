import ConnectionKit
import Foundation
package import PostgresAdapter
import StoreContracts
import VigilModel
package import VigilPorts

/// The servers that `Scripts/engines run` has started.
package struct PostgresServer: Sendable {
    package let version: Int
    /// A connection string of an administrator.
    package let url: String

    package init(version: Int, url: String) {
        self.version = version
        self.url = url
    }

    package var testDescription: String { "PostgreSQL \(version)" }

    package static let all: [PostgresServer] = [15, 17].compactMap { version in
        ProcessInfo.processInfo.environment["VIGIL_TEST_POSTGRES\(version)"].map {
            PostgresServer(version: version, url: $0)
        }
    }

    package static var areRequired: Bool {
        ProcessInfo.processInfo.environment["VIGIL_REQUIRE", default: ""].contains("engines")
    }

    /// A new database whose owner is a plain login, with `migrations`.
    package func database(_ migrations: [Migration] = RelationalContract.migrations) async throws -> PostgresDatabase {
        let name = Self.newName()
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

    static func newName() -> String {
        "t" + TenantID(at: Timestamp(seconds: 0)).description.filter { $0 != "-" }.suffix(20)
    }

    /// Runs statements as the administrator, each on its own.
    package func administer(in database: String, _ statements: [String]) async throws {
        try await PostgresAdministration.run(Self.url(url, database: database), statements)
    }

    package static func url(_ url: String, database: String) -> String {
        (url.split(separator: "/").dropLast().joined(separator: "/")).replacing(":/", with: "://", maxReplacements: 1)
            + "/" + database
    }
}

/// A database of its own on a server, with a login that owns it.
package struct PostgresDatabase: Sendable {
    package let server: PostgresServer
    package let name: String
    package let configuration: PostgresConfiguration

    /// The same with so many connections, and so much patience with a busy server.
    package func bounded(connections: Int, patience: Duration) -> PostgresDatabase {
        var configuration = configuration
        configuration.pool.maximum = connections
        configuration.pool.waitTimeout = patience
        configuration.connectTimeout = patience
        return PostgresDatabase(server: server, name: name, configuration: configuration)
    }
}
