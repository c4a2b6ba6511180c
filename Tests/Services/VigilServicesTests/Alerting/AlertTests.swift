import TemporaryFolders
import Testing
import VigilModel
import VigilServices

@Suite struct AlertTests {
    private func rule(_ world: World, hold: Double, _ change: (inout RuleForm) -> Void = { _ in }) async throws {
        var form = RuleForm(name: "Hot", metric: "temperature", condition: "above")
        form.threshold = 30
        form.holdSeconds = hold
        change(&form)
        _ = try await world.alerting.createRule(form, by: world.principal)
    }

    @Test func `an open door raises one alert however often it says so`() async throws {
        try await withWorld { world in
            try await world.device("door", handler: "door_contact")
            for _ in 0..<3 {
                try await world.send(#"{"value": {"state": "open"}}"#, to: "door")
                world.clock.move(.seconds(10))
            }
            let alerts = try await world.alerts()
            #expect(alerts.count == 1)
            #expect(alerts.first?.subtype == "door_open")
            #expect(alerts.first?.severity == .medium)
            #expect(alerts.first?.condition == "active")
            try await world.send(#"{"value": {"state": "closed"}}"#, to: "door")
            #expect(try await world.alerts().first?.condition == "normal")
        }
    }

    @Test func `the hold time runs from the first breaching sample, and recovery clears it`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await rule(world, hold: 60)
            for value in [31, 31, 31, 31, 29, 31, 31, 31, 31, 31, 31, 31] {
                try await world.send("{\"metric\": \"temperature\", \"value\": \(value)}", to: "t")
                world.clock.move(.seconds(15))
            }
            let alerts = try await world.alerts()
            #expect(alerts.map(\.eventTime) == ["2025-06-01T12:02:15Z"])
            #expect(alerts.first?.startedAt == "2025-06-01T12:01:15Z")
        }
    }

    @Test func `a pending hold time survives a restart`() async throws {
        let folder = try TemporaryFolder("vigil-restart")
        let clock = HandClock(World.start)
        let first = try await World(folder: folder.path, clock: clock)
        try await first.device("t")
        try await rule(first, hold: 60)
        try await first.send(#"{"metric": "temperature", "value": 31}"#, to: "t")
        await first.close()
        clock.move(.seconds(60))
        let second = try await World(folder: folder.path, clock: clock)
        try await second.send(#"{"metric": "temperature", "value": 31}"#, to: "t")
        #expect(try await second.alerts().map(\.eventTime) == ["2025-06-01T12:01:00Z"])
        await second.close()
    }

    @Test func `a late reading that breaks the episode retracts the alert`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await rule(world, hold: 60)
            try await world.send(#"{"metric": "temperature", "value": 31}"#, to: "t")
            world.clock.move(.seconds(60))
            try await world.send(#"{"metric": "temperature", "value": 32}"#, to: "t")
            #expect(try await world.alerts().count == 1)
            try await world.send(
                #"{"metric": "temperature", "value": 20, "time": "2025-06-01T12:00:30Z"}"#, to: "t")
            let alert = try #require(try await world.alerts().first)
            #expect(alert.retractedAt != nil)
            #expect(alert.closure == .dismissed)
        }
    }

    @Test func `rules compare in their own unit`() async throws {
        try await withWorld { world in
            try await world.device("t", handler: "temperature")
            try await rule(world, hold: 0) { $0.unit = "degC" }
            try await world.send(#"{"value": {"temperature": 85, "unit": "F"}}"#, to: "t")
            #expect(try await world.alerts().isEmpty)
            world.clock.move(.seconds(1))
            try await world.send(#"{"value": {"temperature": 87, "unit": "F"}}"#, to: "t")
            #expect(try await world.alerts().count == 1)
        }
    }

    @Test func `acknowledging twice changes nothing, a stale version is refused, and nothing leaves a closed state`()
        async throws
    {
        try await withWorld { world in
            try await world.device("smoke", handler: "smoke")
            try await world.send(#"{"value": true}"#, to: "smoke")
            let id = try #require(try await world.alerts().first).id
            let first = try await world.alerting.acknowledge(id, note: "seen", version: 1, by: world.principal)
            let second = try await world.alerting.acknowledge(id, note: nil, version: nil, by: world.principal)
            #expect(first.acknowledged && first.version == second.version)
            await #expect(throws: (any Error).self) {
                try await world.alerting.resolve(id, note: nil, version: 1, by: world.principal)
            }
            _ = try await world.alerting.resolve(id, note: "burnt toast", version: nil, by: world.principal)
            await #expect(throws: ServiceError.self) {
                try await world.alerting.dismiss(id, note: nil, version: nil, by: world.principal)
            }
            let journal = try await world.alerting.journal(of: id, in: world.scope)
            #expect(journal.map(\.action) == ["raised", "acknowledged", "resolved"])
        }
    }

    @Test(arguments: [
        ("2025-06-02T23:30:00Z", true), ("2025-06-03T05:59:00Z", true), ("2025-06-03T06:00:00Z", true),
        ("2025-06-03T06:01:00Z", false), ("2025-06-02T12:00:00Z", false),
    ])
    func `a schedule goes over midnight`(_ text: String, _ isIn: Bool) throws {
        let time = try #require(Timestamp(text))
        #expect(try RuleSchedule(from: "22:00", to: "06:00").compiled().contains(time) == isIn)
        // Monday evening's window reaches into Tuesday, and Tuesday's does not reach back.
        #expect(try RuleSchedule(days: [1], from: "22:00", to: "06:00").compiled().contains(time) == isIn)
        #expect(
            try RuleSchedule(days: [2], from: "22:00", to: "06:00").compiled().contains(time) == false)
    }
}
