import LocalEngine
import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct FieldTests {
    private func ingest(_ world: World) -> (FieldCatalogue, IngestService) {
        let fields = FieldCatalogue(stores: world.stores, clock: world.clock)
        return (
            fields,
            IngestService(
                stores: world.stores, clock: world.clock, directory: world.directory, alerting: world.alerting,
                fields: fields)
        )
    }

    private func send(_ json: String, _ service: IngestService, _ world: World) async throws {
        _ = try await service.receiveJSON(Array(json.utf8), device: "t", by: world.principal)
    }

    @Test func `fields that nobody described are catalogued with what is known of them`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let (fields, service) = ingest(world)
            try await send(#"{"flow_rate": 1.5, "tank_temperature": 60, "mode": "eco"}"#, service, world)
            world.clock.move(.seconds(10))
            try await send(#"{"flow_rate": 2.5}"#, service, world)
            try await fields.save()
            let all = try await fields.fields(state: nil, search: nil, .first, in: world.scope).items
            #expect(all.map(\.name) == ["flow_rate", "mode", "tank_temperature"])
            #expect(all[0].occurrences == 2)
            #expect(all[0].samples == [.number(1.5), .number(2.5)])
            #expect(all[0].firstSeen == World.start && all[0].lastSeen == World.start + .seconds(10))
            #expect(all[0].kind == "float" && all[1].kind == "text")
            #expect(all[2].unit == Unit("degC")?.name)
            #expect(all.allSatisfy { $0.devices.count == 1 && $0.state == .new })
        }
    }

    @Test func `a field that changes its kind says every kind it had`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let (fields, service) = ingest(world)
            try await send(#"{"x": 1.5}"#, service, world)
            try await send(#"{"x": "closed"}"#, service, world)
            await fields.end()
            let both = try await fields.field("x", in: world.scope)
            #expect(both.kind == "text" && both.kinds == ["float", "text"])
            try await send(#"{"x": true}"#, service, world)
            await fields.end()
            let all = try await fields.field("x", in: world.scope)
            #expect(all.kind == "boolean" && all.kinds == ["boolean", "float", "text"] && all.occurrences == 3)
        }
    }

    @Test func `at most fifty samples are kept, and counts go on`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let (fields, service) = ingest(world)
            for value in 0..<120 { try await send("{\"x\": \(value)}", service, world) }
            try await fields.save()
            let field = try await fields.field("x", in: world.scope)
            #expect(field.samples.count == 50)
            #expect(field.occurrences == 120)
        }
    }

    @Test func `a decided field is counted no more, and what is decided is audited`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let (fields, service) = ingest(world)
            try await send(#"{"x": 1}"#, service, world)
            try await fields.save()
            let decided = try await fields.decide(
                "x", FieldDecision(state: .promoted, unit: "bar"), version: 1, by: world.principal)
            #expect(decided.state == .promoted && decided.unit == "bar" && decided.version == 2)
            try await send(#"{"x": 2}"#, service, world)
            try await fields.save()
            #expect(try await fields.field("x", in: world.scope).occurrences == 1)
            let trail = try await AuditList(stores: world.stores).entries(.init(), .first, in: world.scope)
            #expect(trail.items.map(\.action) == ["promoted"])
            await #expect(throws: StoreError.self) {
                _ = try await fields.decide(
                    "x", FieldDecision(state: .ignored, unit: nil), version: 1, by: world.principal)
            }
        }
    }

    @Test func `a handler's own fields are no discoveries`() async throws {
        try await withWorld { world in
            try await world.device("t", handler: "temperature")
            let (fields, service) = ingest(world)
            try await send(#"{"value": 21.5}"#, service, world)
            try await fields.save()
            #expect(try await fields.fields(state: nil, search: nil, .first, in: world.scope).items.isEmpty)
        }
    }
}
