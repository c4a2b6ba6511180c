import Testing
import VigilModel
import VigilPorts
import VigilServices

/// A batch is durable before it is judged: what dies between the two is judged at the next start, once.
@Suite struct ExactlyOnceTests {
    /// The services of a process that is about to die.
    private func dying(_ world: World) -> (FlakyStore, IngestService) {
        let flaky = FlakyStore(world.stores.relational)
        var stores = world.stores
        stores.relational = flaky
        let directory = DeviceDirectory(stores: stores, clock: world.clock)
        let alerting = AlertingService(stores: stores, clock: world.clock, directory: directory)
        return (
            flaky, IngestService(stores: stores, clock: world.clock, directory: directory, alerting: alerting)
        )
    }

    private func hot(_ world: World) async throws {
        var form = RuleForm(name: "Hot", metric: "temperature", condition: "above")
        form.threshold = 30
        _ = try await world.alerting.createRule(form, by: world.principal)
    }

    @Test func `a crash between storing and judging raises the alert once, at the next start`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await hot(world)
            let (flaky, ingest) = dying(world)
            _ = try await ingest.receiveJSON(
                Array(#"{"metric": "temperature", "value": 20}"#.utf8), device: "t", by: world.principal)
            world.clock.move(.seconds(10))
            flaky.setFailing(true)
            let receipt = try await ingest.receiveJSON(
                Array(#"{"metric": "temperature", "value": 35}"#.utf8), device: "t", by: world.principal)
            #expect(receipt.accepted == 1)
            #expect(!receipt.processed)
            #expect(try await world.alerts().isEmpty)
            let before = try await world.query.readings(
                ofDevice: "t", metric: nil, range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(before.items.map(\.processed) == [false, true])

            // The next process finds it in the journal.
            for _ in 0..<3 { try await world.ingest.resumeAll() }
            let alerts = try await world.alerts()
            #expect(alerts.map(\.eventTime) == ["2025-06-01T12:00:10Z"])
            #expect(alerts.map(\.occurrences) == [1])
            let after = try await world.query.readings(
                ofDevice: "t", metric: nil, range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(after.items.map(\.processed) == [true, true])
        }
    }

    @Test func `what was judged before the crash is not judged again`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await hot(world)
            try await world.send(#"{"metric": "temperature", "value": 35}"#, to: "t")
            let alert = try #require(try await world.alerts().first)
            _ = try await world.alerting.resolve(alert.id, note: nil, version: nil, by: world.principal)
            let (_, next) = dying(world)
            for _ in 0..<3 { try await next.resumeAll() }
            #expect(try await world.alerts().count == 1)
        }
    }
}
