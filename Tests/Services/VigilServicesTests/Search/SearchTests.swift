import RelationalEngine
import SQLStores
import Testing
import VigilModel
import VigilPorts
import VigilServices

/// What people look for, found over the truth that services write.
@Suite struct SearchTests {
    private func prepared(_ world: World) async throws -> (SearchProjection, SearchService) {
        let (search, geometry) = (SQLSearch(world.stores.relational), SQLGeometry(world.stores.relational))
        return (
            SearchProjection(stores: world.stores, search: search, geometry: geometry, clock: world.clock),
            SearchService(stores: world.stores, search: search, geometry: geometry)
        )
    }

    private func registry(_ world: World) throws -> RegistryService {
        RegistryService(
            stores: world.stores, clock: world.clock,
            secrets: SecretBox(try #require(MasterKey(bytes: Array(repeating: 7, count: 32))).derive("connection")),
            directory: world.directory)
    }

    @Test func `what services write is found, what they delete is not`() async throws {
        try await withWorld { world in
            let (projection, service) = try await prepared(world)
            try await projection.catchUp()
            let registry = try registry(world)
            let site = try await registry.createSite(
                SiteDraft(code: "north", name: "Northern boiler house", kind: "boiler-house"), by: world.principal,
                in: world.scope)
            let written = try await world.outbox(1).count
            try await projection.catchUp()
            let found = try await service.find("boil", by: world.principal)
            #expect(found.items.map(\.id) == [site.id.description])
            #expect(found.items.first?.title.filter(\.isMatch).map(\.text) == ["boiler"])
            try await registry.deleteSite("north", version: nil, by: world.principal, in: world.scope)
            _ = try await world.outbox(written + 1)
            try await projection.catchUp()
            #expect(try await service.find("boiler", by: world.principal).total == 0)
        }
    }

    @Test func `a projection that never ran is filled from what there is`() async throws {
        try await withWorld { world in
            let id = try await world.device("pump-01")
            try await world.stores.relational.write(in: world.scope) { [tenant = world.tenant] transaction in
                try transaction.execute(
                    """
                    INSERT INTO device_positions (id, tenant_id, device_id, latitude, longitude, details, valid_from,
                        changed_by) VALUES (\(EntryID(high: 1, low: 1)), \(tenant), \(id), 60.0, 25.0, '{}', 0, 'test')
                    """)
            }
            let (projection, service) = try await prepared(world)
            try await projection.catchUp()
            #expect(try await service.find("pump-0", by: world.principal).items.map(\.id) == [id.description])
            let near = try await service.places(
                PlaceQuestion(
                    near: .object([
                        "type": .string("Point"), "coordinates": .array([.number(25.001), .number(60.0)]),
                    ]), metres: 500, kinds: ["device"], limit: nil), by: world.principal)
            let feature = near["features"]?.elements?.first
            #expect(feature?["properties"]?["code"]?.text == "pump-01")
            #expect(abs((feature?["properties"]?["metres"]?.double ?? 0) - 55.8) < 0.1)
        }
    }

    @Test func `only kinds that a caller may read are found`() async throws {
        try await withWorld { world in
            _ = try await world.device("pump-01")
            let (projection, service) = try await prepared(world)
            try await projection.catchUp()
            let reader = Principal(
                subject: .local, tenant: world.tenant, permissions: [Permission("alert", "read")], scope: world.scope,
                name: "reader")
            #expect(try await service.find("pump", by: reader).total == 0)
            await #expect(throws: ServiceError.self) {
                _ = try await service.find("pump", kinds: ["device"], by: reader)
            }
        }
    }
}
