import ManualClock
import RelationalEngine
import SQLStores
import StoreContracts
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct SQLPlacesTests {
    private func inStore(_ body: (SQLiteStore) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.file("a.db"), readerCount: 1)
        _ = try await SQLiteMigrator(store, backups: nil, clock: ManualClock())
            .up([.outbox, .search, .geometry], to: nil, dryRun: false)
        try await body(store)
        await store.close()
    }

    @Test(arguments: SearchContract.clauses)
    func `search on FTS5 keeps the contract`(clause: SearchContract.Clause) async throws {
        try await inStore { store in
            try await ContractReport.shared.check(clause, port: "search", store: "sqlite", SQLSearch(store))
        }
    }

    @Test(arguments: GeometryContract.clauses)
    func `geometry on R-Tree and GEOS keeps the contract`(clause: GeometryContract.Clause) async throws {
        try await inStore { store in
            try await ContractReport.shared.check(clause, port: "geometry", store: "sqlite", SQLGeometry(store))
        }
    }

    @Test func `a full-text index holds what its table holds after many changes`() async throws {
        try await inStore { store in
            let search = SQLSearch(store)
            let scope = SystemScope.tenant(TenantID(high: 1, low: 1), "testing")
            for round in 0..<5 {
                try await search.put(
                    (0..<50).map { SearchDocument(kind: "device", key: "\($0)", title: "round\(round) word\($0)") },
                    in: scope)
                try await search.remove("device", keys: ["\(round)"], in: scope)
            }
            _ = try await store.write(in: scope) { transaction in
                try transaction.execute("INSERT INTO search_text (search_text, rank) VALUES ('integrity-check', 1)")
            }
            #expect(try await search.search(SearchQuery("round4"), in: scope).count == 49)
            #expect(try await search.search(SearchQuery("round3"), in: scope).count == 0)
        }
    }
}
