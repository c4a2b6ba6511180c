import PostgresAdapter
package import VigilPorts

/// Databases that are copied from one that was migrated once: many tests then have a schema each, at little cost.
package actor PostgresTemplate {
    private let server: PostgresServer
    private let migrations: [Migration]
    private var original: Task<PostgresDatabase, any Error>?

    package init(_ server: PostgresServer, _ migrations: [Migration]) {
        self.server = server
        self.migrations = migrations
    }

    /// A new database with the schema, and nothing in it.
    package func copy() async throws -> PostgresDatabase {
        let (server, migrations) = (server, migrations)
        let task = original ?? Task { try await server.database(migrations) }
        original = task
        let original = try await task.value
        let name = PostgresServer.newName()
        // Somebody of the server itself (a worker of an extension) may look into the original in this moment.
        for attempt in 1...5 {
            do {
                try await server.administer(
                    in: "postgres",
                    ["CREATE DATABASE \(name) TEMPLATE \(original.name) OWNER \(original.name) STRATEGY FILE_COPY"])
                break
            } catch let error as StoreError where error.details["sqlstate"] == "55006" && attempt < 5 {
                continue
            }
        }
        var configuration = original.configuration
        configuration.url = PostgresServer.url(server.url, database: name)
        return PostgresDatabase(server: server, name: name, configuration: configuration)
    }

    /// Removes a copy that nobody uses any more.
    package func drop(_ database: PostgresDatabase) async throws {
        try await server.administer(in: "postgres", ["DROP DATABASE IF EXISTS \(database.name) WITH (FORCE)"])
    }
}
