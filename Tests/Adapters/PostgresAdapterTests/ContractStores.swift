import PostgresAdapter
import PostgresServers
import Testing

extension PostgresServer: CustomTestStringConvertible {}

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
