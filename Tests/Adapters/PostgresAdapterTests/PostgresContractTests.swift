import PostgresAdapter
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
        try await clause.check(RelationalSubject(store, hasRowSecurity: true))
    }
}
