import PostgresAdapter
import PostgresServers
import StoreContracts
import Testing
import VigilModel
import VigilPorts

@Suite(.enabled(if: !PostgresServer.all.isEmpty, "no PostgreSQL: Scripts/engines run -- swift test"))
struct PostgresMigratorTests {
    private func migrator(_ database: PostgresDatabase) -> PostgresMigrator {
        PostgresMigrator(database.configuration, backup: {})
    }

    @Test(arguments: PostgresServer.all)
    func `migrations go up, are seen, and go down`(_ server: PostgresServer) async throws {
        let database = try await server.database([])
        let migrator = migrator(database)
        let all = RelationalContract.migrations
        #expect(try await migrator.status(all).map(\.state) == [.pending, .pending])
        #expect(try await migrator.up(all, to: nil, dryRun: true).count == 2)
        #expect(try await migrator.status(all).map(\.state) == [.pending, .pending])
        #expect(try await migrator.up(all, to: 1, dryRun: false).map(\.state) == [.applied])
        #expect(try await migrator.up(all, to: nil, dryRun: false).map(\.number) == [2])
        #expect(try await migrator.up(all, to: nil, dryRun: false).isEmpty)
        #expect(try await migrator.down(all, steps: 2).map(\.number) == [2, 1])
        #expect(try await migrator.status(all).map(\.state) == [.pending, .pending])
    }

    @Test(arguments: PostgresServer.all)
    func `a newer schema and a changed migration are refused`(_ server: PostgresServer) async throws {
        let database = try await server.database()
        let all = RelationalContract.migrations
        let newer = await #expect(throws: StoreError.self) {
            _ = try await migrator(database).up([all[0]], to: nil, dryRun: false)
        }
        #expect(newer?.code == .newerSchema)
        let changed = [all[0], Migration(number: 2, name: "contract", up: all[1].up + "\n-- more", down: all[1].down)]
        let other = await #expect(throws: StoreError.self) {
            _ = try await migrator(database).up(changed, to: nil, dryRun: false)
        }
        #expect(other?.code == .invalid)
    }

    @Test(arguments: PostgresServer.all)
    func `two nodes that migrate at once apply everything once`(_ server: PostgresServer) async throws {
        let database = try await server.database([])
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await migrator(database).up(RelationalContract.migrations, to: nil, dryRun: false).count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == 2)
    }

    @Test(arguments: PostgresServer.all)
    func `a migration that fails leaves nothing`(_ server: PostgresServer) async throws {
        let database = try await server.database([])
        let broken = Migration(
            number: 2, name: "broken", up: "CREATE TABLE half (id {{id}}); SELECT nothing;", down: "")
        await #expect(throws: StoreError.self) {
            _ = try await migrator(database).up([Migration.outbox, broken], to: nil, dryRun: false)
        }
        #expect(try await migrator(database).status([Migration.outbox, broken]).map(\.state) == [.applied, .pending])
    }

    @Test(arguments: PostgresServer.all)
    func `an unset tenant shows nothing, and the roles own nothing`(_ server: PostgresServer) async throws {
        let database = try await server.database()
        let store = try await PostgresStore.open(database.configuration)
        let scope = AccessScope(tenant: TenantID(at: Timestamp(seconds: 1)))
        let tenant = try #require(scope.tenant)
        let seen = try await store.write(in: scope) { transaction in
            try transaction.execute(
                """
                INSERT INTO contract_items (id, tenant_id, name, count, flag)
                VALUES (\(DeviceID(at: Timestamp(seconds: 1))), \(tenant), \("a"), 0, \(true))
                """)
            var seen = [try transaction.rows("SELECT id FROM contract_items").count]
            for value in ["", "reset"] {
                if value.isEmpty { _ = try transaction.rows("SELECT set_config('vigil.tenant', '', true)") }
                seen.append(try transaction.rows("SELECT id FROM contract_items").count)
            }
            let owned = try transaction.rows(
                "SELECT count(*) AS count FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")[0]
            seen.append(try owned.get("count", as: Int.self))
            return seen
        }
        #expect(seen == [1, 0, 0, 0])
        await store.close()
    }

    @Test(arguments: PostgresServer.all)
    func `the index of a tenant's rows is used under row security`(_ server: PostgresServer) async throws {
        let database = try await server.database()
        let store = try await PostgresStore.open(database.configuration)
        let scope = AccessScope(tenant: TenantID(at: Timestamp(seconds: 1)))
        let tenant = try #require(scope.tenant)
        let rows: [[SQLValue]] = (0..<5000).map { number in
            [
                DeviceID(at: Timestamp(seconds: 1)).sqlValue, tenant.sqlValue, .text("item \(number)"), .integer(1),
                .boolean(true),
            ]
        }
        let plan = try await store.write(in: scope) { transaction in
            _ = try transaction.insert(
                into: "contract_items", columns: ["id", "tenant_id", "name", "count", "flag"], rows: rows, conflict: nil
            )
            return try transaction.rows("EXPLAIN SELECT id FROM contract_items WHERE name = 'item 77'")
                .map { try $0.get("query plan", as: String.self) }.joined(separator: "\n")
        }
        #expect(plan.contains("contract_items_tenant_id_name_key"), "\(plan)")
        await store.close()
    }

    @Test(arguments: PostgresServer.all)
    func `every foreign key has an index`(_ server: PostgresServer) async throws {
        let database = try await server.database()
        let store = try await PostgresStore.open(database.configuration)
        let bare = try await store.read(in: SystemScope.allTenants("schema test")) { transaction in
            try transaction.rows(
                """
                SELECT conrelid::regclass::text || '.' || conname AS name FROM pg_constraint c WHERE contype = 'f'
                AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
                    AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
                """
            ).map { try $0.get("name", as: String.self) }
        }
        #expect(bare.isEmpty, "without an index: \(bare)")
        await store.close()
    }
}
