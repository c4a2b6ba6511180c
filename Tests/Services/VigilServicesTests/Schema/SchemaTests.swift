import Foundation
import RelationalEngine
import SQLStores
import StoreContracts
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts
import VigilServices

/// The schema of all services on SQLite.
///
/// `PostgresSchemaTests` asks PostgreSQL the same.
@Suite struct SchemaTests {
    private func inSchema(_ body: @escaping @Sendable (any SQLTransaction) throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.file("a.db"), readerCount: 1)
        _ = try await SQLiteMigrator(store, backups: nil, clock: HandClock(World.start))
            .up(Migrations.all([.jobs, .search, .geometry]), to: nil, dryRun: false)
        try await store.write(in: SystemScope.allTenants("testing"), body)
        await store.close()
    }

    @Test func `no foreign key lacks an index`() async throws {
        try await inSchema { transaction in
            #expect(try SchemaFacts.relations(transaction).count > 40)
            for relation in try SchemaFacts.unindexed(transaction) {
                Issue.record("\(relation.table) (\(relation.columns.joined(separator: ", "))) has no index")
            }
        }
    }

    @Test func `the indexes of the pages are used`() async throws {
        try await inSchema { transaction in
            for statement in PlannedQuery.filling(transaction.dialect) {
                try transaction.execute(SQL(unchecked: statement))
            }
            try transaction.execute("ANALYZE")
            for query in PlannedQuery.all {
                let plan = try query.plan(transaction)
                #expect(plan.contains(query.index), "\(query): \(plan)")
                if query.index == "alerts_statistics" { #expect(plan.contains("COVERING")) }
            }
        }
    }

    @Test func `the delete rules are those of the reference`() async throws {
        try await inSchema { transaction in
            let page = try String(contentsOf: DataModelPage.url, encoding: .utf8)
            #expect(DataModelPage.relations(of: page) == (try SchemaFacts.relations(transaction)))
        }
    }
}
