import VigilPorts

/// Statements of an administrator, outside transactions, roles and tenants: making databases and roles.
package enum PostgresAdministration {
    /// The server's major version, such as 17.
    package static func serverVersion(_ configuration: PostgresConfiguration) async throws -> Int {
        do {
            let connection = try await PostgresConnection.open(
                configuration, url: configuration.url, session: "read-write")
            let version = await connection.server.version
            await connection.close()
            return version / 10_000
        } catch {
            throw PostgresStore.storeError(error)
        }
    }

    /// Runs each statement on its own.
    /// - Important: Never pass anything that came from outside.
    package static func run(_ url: String, _ statements: [String]) async throws {
        var configuration = PostgresConfiguration(url: url)
        configuration.statementTimeout = .seconds(300)
        do {
            let connection = try await PostgresConnection.open(configuration, url: url, session: "any")
            do {
                try await connection.use { wire in for statement in statements { try wire.script(statement) } }
                await connection.close()
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            throw PostgresStore.storeError(error)
        }
    }
}
