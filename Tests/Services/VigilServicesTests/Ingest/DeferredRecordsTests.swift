import Testing
import VigilModel
import VigilPorts
import VigilServices

/// What batches that change nothing leave in the tables is written a moment later, and nothing of it is ever missed.
@Suite struct DeferredRecordsTests {
    private func entries(_ world: World) async throws -> Int {
        try await world.stores.relational.read(in: world.scope) { transaction in
            try transaction.rows("SELECT count(*) AS count FROM ingest_log").first?.get("count", as: Int.self) ?? 0
        }
    }

    private func send(_ world: World, _ count: Int) async throws {
        for number in 0..<count {
            try await world.send("{\"metric\": \"p\", \"value\": \(number)}", to: "a")
            world.clock.move(.milliseconds(1))
        }
    }

    @Test func `who reads the ingestion log sees every batch that was answered`() async throws {
        try await withWorld { world in
            try await world.device("a")
            try await send(world, 5)
            #expect(try await entries(world) < 5, "batches that changed nothing share a transaction")
            let log = IngestLog(stores: world.stores, alerting: world.alerting)
            #expect(try await log.entries(status: nil, PageRequest(limit: 50), in: world.scope).items.count == 5)
            #expect(try await entries(world) == 5)
        }
    }

    @Test func `a reading whose record waits is processed all the same`() async throws {
        try await withWorld { world in
            try await world.device("a")
            try await send(world, 3)
            let readings = try await world.query.readings(
                ofDevice: "a", metric: nil, range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(readings.items.count == 3 && readings.items.allSatisfy(\.processed))
        }
    }

    @Test func `an alert takes the records that wait along`() async throws {
        try await withWorld { world in
            try await world.device("a")
            var form = RuleForm(name: "High", metric: "p", condition: "above")
            form.threshold = 100
            _ = try await world.alerting.createRule(form, by: world.principal)
            try await send(world, 3)
            try await world.send("{\"metric\": \"p\", \"value\": 200}", to: "a")
            #expect(try await world.alerts().count == 1)
            #expect(try await entries(world) == 4)
        }
    }
}
