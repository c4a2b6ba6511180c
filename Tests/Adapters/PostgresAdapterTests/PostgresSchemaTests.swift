import Foundation
import PostgresAdapter
import PostgresServers
import SQLStores
import StoreContracts
import Testing
import VigilModel
import VigilPorts
import VigilServices

/// The schema of all services on PostgreSQL, as the services' own role sees it.
@Suite(.enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"))
struct PostgresSchemaTests {
    private func open(_ server: PostgresServer) async throws -> (PostgresStore, PostgresDatabase) {
        let database = try await server.database(Migrations.all([.jobs, .search, .geometry]))
        return (try await PostgresStore.open(database.configuration), database)
    }

    @Test(arguments: PostgresServer.all)
    func `no foreign key lacks an index`(_ server: PostgresServer) async throws {
        let (store, _) = try await open(server)
        let missing = try await store.read(in: SystemScope.allTenants("testing")) { transaction in
            let relations = try SchemaFacts.relations(transaction)
            #expect(relations.count > 40)
            return try SchemaFacts.unindexed(transaction)
        }
        for relation in missing {
            Issue.record("\(relation.table) (\(relation.columns.joined(separator: ", "))) has no index")
        }
        await store.close()
    }

    @Test(arguments: PostgresServer.all)
    func `the delete rules are those of the reference`(_ server: PostgresServer) async throws {
        let (store, _) = try await open(server)
        let page = try String(contentsOf: DataModelPage.url, encoding: .utf8)
        let relations = try await store.read(in: SystemScope.allTenants("testing")) { transaction in
            try SchemaFacts.relations(transaction)
        }
        #expect(DataModelPage.relations(of: page) == relations)
        await store.close()
    }

    @Test(arguments: PostgresServer.all)
    func `the indexes of the pages are used behind row security`(_ server: PostgresServer) async throws {
        let (store, database) = try await open(server)
        try await server.administer(
            in: database.name, PlannedQuery.filling(store.dialect) + ["VACUUM ANALYZE alerts", "VACUUM ANALYZE"])
        try await store.read(in: AccessScope(tenant: PlannedQuery.tenant)) { transaction in
            #expect(try transaction.rows("SELECT id FROM alerts LIMIT 1").count == 1)
            #expect(
                try transaction.rows("SELECT row_security_active('alerts') AS a").first?.get("a", as: Bool.self) == true
            )
            for query in PlannedQuery.all {
                let plan = try query.plan(transaction)
                #expect(plan.contains(query.index), "\(query): \(plan)")
                if query.index == "alerts_statistics" { #expect(plan.contains("Index Only Scan")) }
            }
        }
        await store.close()
    }

    @Test(arguments: PostgresServer.all)
    func `search and geometry use their indexes behind row security`(_ server: PostgresServer) async throws {
        let database = try await server.database([])
        try await server.administer(in: database.name, ["CREATE EXTENSION postgis"])
        _ = try await PostgresMigrator(database.configuration, backup: {})
            .up(Migrations.all([.jobs, .search, .geometry]), to: nil, dryRun: false)
        let store = try await PostgresStore.open(database.configuration)
        let scope = AccessScope(tenant: PlannedQuery.tenant)
        try await server.administer(
            in: database.name,
            PlannedQuery.filling(store.dialect) + [
                """
                INSERT INTO geometry_features (tenant_id, kind, key, geometry, west, south, east, north)
                SELECT '\(PlannedQuery.tenant)', 'device', 'd' || n, jsonb_build_object('type', 'Point', 'coordinates',
                    jsonb_build_array(n * 0.001, 10)), n * 0.001, 10, n * 0.001, 10 FROM generate_series(1, 5000) AS n
                """, "VACUUM ANALYZE",
            ])
        let point = JSONValue.object([
            "type": .string("Point"), "coordinates": .array([.number(1), .number(10)]),
        ])
        let table = SQLGeometry(store)
        let places = PostGISGeometry(store, table: table)
        #expect(try await SQLSearch(store).search(SearchQuery("rare", language: .simple), in: scope).count == 1)
        #expect(try await table.find(GeometryQuery(.intersecting(point)), in: scope).count == 1)
        #expect(try await places.find(GeometryQuery(.intersecting(point)), in: scope).count == 1)
        #expect(try await places.find(GeometryQuery(.nearest(point), limit: 3), in: scope).count == 3)
        let used = try await store.write(in: scope) { transaction in
            _ = try transaction.rows("SELECT pg_stat_force_next_flush() IS NULL AS done")
            return true
        }
        #expect(used)
        let wanted: Set = [
            "search_documents_terms", "geometry_features_box", "geometry_features_shape", "geometry_features_globe",
        ]
        var seen: Set<String> = []
        for _ in 0..<200 where !wanted.isSubset(of: seen) {
            seen = try await store.write(in: scope) { transaction in
                _ = try transaction.rows("SELECT pg_stat_force_next_flush() IS NULL AS done")
                return Set(
                    try transaction.rows("SELECT indexrelname AS name FROM pg_stat_user_indexes WHERE idx_scan > 0").map
                    {
                        try $0.get("name", as: String.self)
                    })
            }
        }
        #expect(wanted.subtracting(seen).isEmpty, "not used: \(wanted.subtracting(seen))")
        await store.close()
    }
}
