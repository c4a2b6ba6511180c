import PostgresAdapter
import PostgresServers
import SQLStores
import StoreContracts
import Testing
import VigilPorts

/// Search and geometry on every server that is there.
@Suite(.enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"))
struct PostgresPlacesTests {
    @Test(arguments: PostgresServer.all, SearchContract.clauses)
    func `search on tsvector and GIN keeps the contract`(
        _ server: PostgresServer, _ clause: SearchContract.Clause
    ) async throws {
        let store = try await PlacesStores.shared.store(on: server, hasPostGIS: false)
        try await ContractReport.shared.check(
            clause, port: "search", store: server.testDescription, SQLSearch(store))
    }

    @Test(arguments: PostgresServer.all, GeometryContract.clauses)
    func `geometry without PostGIS keeps the contract`(
        _ server: PostgresServer, _ clause: GeometryContract.Clause
    ) async throws {
        let store = try await PlacesStores.shared.store(on: server, hasPostGIS: false)
        #expect(try await !PostGISGeometry.isAvailable(store))
        try await ContractReport.shared.check(
            clause, port: "geometry", store: server.testDescription, SQLGeometry(store))
    }

    @Test(arguments: PostgresServer.all, GeometryContract.clauses)
    func `PostGIS keeps the contract`(_ server: PostgresServer, _ clause: GeometryContract.Clause) async throws {
        let store = try await PlacesStores.shared.store(on: server, hasPostGIS: true)
        #expect(try await PostGISGeometry.isAvailable(store))
        try await ContractReport.shared.check(
            clause, port: "geometry", store: "PostGIS on \(server.version)",
            PostGISGeometry(store, table: SQLGeometry(store)))
    }
}

/// One database for each server, with and without PostGIS.
actor PlacesStores {
    static let shared = PlacesStores()
    private var stores: [String: Task<PostgresStore, any Error>] = [:]

    func store(on server: PostgresServer, hasPostGIS: Bool) async throws -> PostgresStore {
        let name = "\(server.version) \(hasPostGIS)"
        let task =
            stores[name]
            ?? Task {
                let database = try await server.database([])
                if hasPostGIS { try await server.administer(in: database.name, ["CREATE EXTENSION postgis"]) }
                _ = try await PostgresMigrator(database.configuration, backup: {})
                    .up([.outbox, .search, .geometry], to: nil, dryRun: false)
                return try await PostgresStore.open(database.configuration)
            }
        stores[name] = task
        return try await task.value
    }
}
