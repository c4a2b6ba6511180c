import PostgresAdapter
import PostgresServers
import StoreContracts
import Testing
import VigilPorts

/// The contract of the relational port, on every server that is there.
@Suite struct PostgresContractTests {
    @Test func `the servers are there when they are required`() {
        #expect(!PostgresServer.areRequired || PostgresServer.all.count == 2, "run this by Scripts/engines run -- …")
    }

    @Test(
        .enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"),
        arguments: PostgresServer.all, RelationalContract.clauses)
    func `PostgreSQL keeps the contract`(_ server: PostgresServer, _ clause: RelationalContract.Clause) async throws {
        let store = try await ContractStores.shared.store(on: server)
        try await ContractReport.shared.check(
            clause, port: "relational", store: server.testDescription, RelationalSubject(store, hasRowSecurity: true))
    }

    // One after the other: each makes a database, and a hundred at once leave a server no time to answer.
    @Test(
        .enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"), .serialized,
        arguments: PostgresServer.all, DatabaseContract.clauses)
    func `PostgreSQL keeps the contract of a whole database`(
        _ server: PostgresServer, _ clause: DatabaseContract.Clause
    ) async throws {
        let subject = DatabaseSubject(server.testDescription) {
            var configuration = try await server.database([]).configuration
            configuration.rowLimit = DatabaseSubject.rowLimit
            return (try await PostgresStore.open(configuration), PostgresMigrator(configuration, backup: {}))
        }
        try await ContractReport.shared.check(clause, port: "relational", store: subject.name, subject)
    }
}
