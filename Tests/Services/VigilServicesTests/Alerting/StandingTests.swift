import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct StandingTests {
    private func missing(_ world: World, after seconds: Double?, autoResolve: Bool = false) async throws {
        var form = RuleForm(name: "Silent", condition: "missing")
        form.missingSeconds = seconds
        form.severity = .high
        form.autoResolve = autoResolve
        _ = try await world.alerting.createRule(form, by: world.principal)
    }

    /// Activity is written with batches, at most once a second.
    private func hear(_ world: World) async throws {
        try await world.send(#"{"metric": "temperature", "value": 20}"#, to: "t")
    }

    @Test func `a device that falls silent raises one alert, at the time from which it was too long`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await missing(world, after: 60)
            try await hear(world)
            world.clock.move(.seconds(60))
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().isEmpty)
            world.clock.move(.seconds(30))
            for _ in 0..<3 { try await world.alerting.checkMissing() }
            let alerts = try await world.alerts()
            #expect(alerts.map(\.eventTime) == ["2025-06-01T12:01:00Z"])
            #expect(alerts.first?.startedAt == "2025-06-01T12:00:00Z")
            #expect(alerts.first?.title == "Silent: t")
            #expect(alerts.first?.severity == .high)
        }
    }

    @Test func `an alert that nobody has closed stands through a second silence`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await missing(world, after: 60)
            for _ in 0..<2 {
                try await hear(world)
                try await world.alerting.checkMissing()
                world.clock.move(.minutes(2))
                try await world.alerting.checkMissing()
            }
            let alerts = try await world.alerts()
            #expect(alerts.map(\.occurrences) == [2])
            #expect(alerts.map(\.condition) == ["active"])
        }
    }

    @Test func `a rule that closes its alerts raises another at the next silence`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await missing(world, after: 60, autoResolve: true)
            try await hear(world)
            world.clock.move(.minutes(2))
            try await world.alerting.checkMissing()
            try await hear(world)
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().map(\.closure) == [.resolved])
            world.clock.move(.minutes(2))
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().map(\.closure) == [.resolved, .open])
        }
    }

    @Test func `an alert that somebody closed does not come again while the silence lasts`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await missing(world, after: 60)
            try await hear(world)
            world.clock.move(.minutes(2))
            try await world.alerting.checkMissing()
            let alert = try #require(try await world.alerts().first)
            _ = try await world.alerting.dismiss(alert.id, note: nil, version: nil, by: world.principal)
            world.clock.move(.minutes(10))
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().count == 1)
        }
    }

    @Test func `without a bound it waits two and a half expected intervals, at least five minutes`() async throws {
        try await withWorld { world in
            try await world.device("t")
            try await missing(world, after: nil)
            try await hear(world)
            world.clock.move(.minutes(12))
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().isEmpty)
            world.clock.move(.minutes(1))
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().map(\.eventTime) == ["2025-06-01T12:12:30Z"])
        }
    }

    @Test func `a device in maintenance is not missed`() async throws {
        try await withWorld { world in
            try await world.device("t", status: .maintenance)
            try await missing(world, after: 60)
            try await hear(world)
            world.clock.move(.minutes(12))
            try await world.alerting.checkMissing()
            #expect(try await world.alerts().isEmpty)
        }
    }

    @Test func `a device that goes offline is a malfunction until it is heard again`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let monitor = ConnectionMonitor(stores: world.stores, clock: world.clock, hooks: [MalfunctionAlerts()])
            try await hear(world)
            try await monitor.check()
            world.clock.move(.minutes(40))
            try await monitor.check()
            try await monitor.check()
            let alerts = try await world.alerts()
            #expect(alerts.map(\.type) == [.malfunction])
            #expect(alerts.first?.title == "t is offline")
            try await hear(world)
            try await monitor.check()
            #expect(try await world.alerts().map(\.closure) == [.resolved])
        }
    }

    @Test func `silence while nobody listened is told only when it goes on`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let before = ConnectionMonitor(stores: world.stores, clock: world.clock, hooks: [MalfunctionAlerts()])
            try await hear(world)
            try await before.check()
            // Nothing ran for two hours: a start tells of nobody.
            world.clock.move(.minutes(120))
            let monitor = ConnectionMonitor(stores: world.stores, clock: world.clock, hooks: [MalfunctionAlerts()])
            let alerting = AlertingService(stores: world.stores, clock: world.clock, directory: world.directory)
            try await missing(world, after: 60)
            try await monitor.check()
            try await alerting.checkMissing()
            #expect(try await world.alerts().isEmpty)
            world.clock.move(.minutes(40))
            try await monitor.check()
            try await alerting.checkMissing()
            #expect(try await world.alerts().map(\.title).sorted() == ["Silent: t", "t is offline"])
        }
    }

    @Test func `a device of which only a history came did not fall silent`() async throws {
        try await withWorld { world in
            try await world.device("t")
            let monitor = ConnectionMonitor(stores: world.stores, clock: world.clock, hooks: [MalfunctionAlerts()])
            world.clock.move(.minutes(120))
            try await world.send(
                #"{"metric": "temperature", "value": 20, "time": "2025-06-01T12:30:00Z"}"#, to: "t")
            #expect(try await monitor.check() == 1)
            #expect(try await world.alerts().isEmpty)
        }
    }

    @Test func `what is wrong with the installation is an alert while it lasts`() async throws {
        try await withWorld { world in
            let trouble = HandClock(.distantPast)
            let watch = SystemWatch(
                stores: world.stores, clock: world.clock,
                checks: [
                    .init("disk", .high, title: "The disk is nearly full") {
                        trouble.now() == .distantPast ? nil : "One byte is free."
                    }
                ])
            try await watch.check()
            #expect(try await world.alerts().isEmpty)
            trouble.set(World.start)
            try await watch.check()
            try await watch.check()
            #expect(try await world.alerts().map(\.type) == [.system])
            trouble.set(.distantPast)
            try await watch.check()
            #expect(try await world.alerts().map(\.closure) == [.resolved])
        }
    }
}
