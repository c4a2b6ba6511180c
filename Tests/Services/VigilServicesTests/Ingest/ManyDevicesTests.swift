import Testing
import VigilModel
import VigilPorts
import VigilServices

/// What is done for many devices at once is what would be done for each of them alone.
@Suite struct ManyDevicesTests {
    /// Gives a device an external identifier.
    private func name(_ device: DeviceID, _ scheme: String, _ value: String, in world: World) async throws {
        let tenant = world.tenant
        try await world.stores.relational.write(in: world.scope) { transaction in
            try transaction.execute(
                """
                INSERT INTO device_external_ids (id, tenant_id, device_id, scheme, value, is_active)
                VALUES (\(EntryID(at: World.start)), \(tenant), \(device), \(scheme), \(value), \(true))
                """)
        }
    }

    @Test func `each of many names means the device that it means alone`() async throws {
        try await withWorld { world in
            let first = try await world.device("pump")
            let second = try await world.device("valve")
            // One device's identifier is another's code: the code counts.
            try await name(second, "serial", "pump", in: world)
            try await name(second, "serial", "4711", in: world)
            try await name(first, "mac", "aa:bb", in: world)
            try await world.send(#"{"metric": "p", "value": 1}"#, to: "nobody knows me")
            let names = [
                "pump", "valve", "4711", "serial:4711", "serial:pump", "mac:aa:bb", "aa:bb", "mac:4711",
                "nobody knows me",
                "unknown", first.description, second.description.uppercased(), "", ":", "pump",
            ]
            let together = try await DeviceDirectory(stores: world.stores, clock: world.clock)
                .find(names, tenant: world.tenant)
            let alone = DeviceDirectory(stores: world.stores, clock: world.clock)
            for (name, found) in zip(names, together) {
                let expected = try await alone.find(name, tenant: world.tenant)
                #expect(found?.entry == expected, "\(name)")
            }
            #expect(together.compactMap { $0 }.count == 11)
        }
    }

    @Test func `more names than one statement takes are all found`() async throws {
        try await withWorld { world in
            let names = (0..<1203).map { "d\($0)" }
            for name in names where name.hasSuffix("1") { try await world.device(name) }
            let found = try await world.directory.find(names, tenant: world.tenant)
            #expect(found.map { $0?.entry.code } == names.map { $0.hasSuffix("1") ? $0 : nil })
        }
    }

    @Test func `more devices come online than one transaction tells, and each is told once`() async throws {
        try await withWorld { world in
            let codes = (0..<10).map { "d\($0)" }
            for code in codes {
                try await world.device(code)
                try await world.lines("m,device=\(code) p=1 1748779100")
            }
            var settings = ConnectionMonitor.Settings()
            settings.changesMax = 3
            let monitor = ConnectionMonitor(stores: world.stores, clock: world.clock, settings: settings)
            #expect(try await monitor.check() == 10)
            #expect(try await monitor.check() == 0)
            let told = try await world.outbox(10).filter { $0.message.type == "device.state" }
            #expect(told.compactMap { $0.message.data["code"]?.text }.sorted() == codes)
        }
    }

    @Test func `a first reading that breaches a rule is told beside many that do not`() async throws {
        try await withWorld { world in
            var form = RuleForm(name: "High", metric: "m_p", condition: "above")
            form.threshold = 10
            _ = try await world.alerting.createRule(form, by: world.principal)
            for number in 0..<20 { try await world.device("d\(number)") }
            let now = World.start.microseconds / 1_000_000
            let first = (0..<20).map { "m,device=d\($0) p=\($0 == 7 ? 11 : 9) \(now - 5)" }
            try await world.lines(first.joined(separator: "\n"))
            #expect(try await world.alerts().count == 1)
            // Each goes on from there, also with what comes late.
            let second = (0..<20).map { "m,device=d\($0) p=\($0 == 8 ? 12 : 9) \(now - 3)" }
            try await world.lines(second.joined(separator: "\n"))
            try await world.lines("m,device=d9 p=13 \(now - 4)\nm,device=d10 p=9 \(now - 6)")
            let times = [now - 5, now - 4, now - 3].map { Timestamp(microseconds: $0 * 1_000_000).description }
            #expect(try await world.alerts().map(\.eventTime) == times)
        }
    }

    @Test func `conditions of many devices go on where they stood before a start`() async throws {
        try await withWorld { world in
            var form = RuleForm(name: "High", metric: "m_p", condition: "above")
            form.threshold = 10
            _ = try await world.alerting.createRule(form, by: world.principal)
            let now = World.start.microseconds / 1_000_000
            // More than one statement takes, and more than are judged without looking their conditions up before.
            func body(_ second: Int64, _ high: Int) -> String {
                (0..<700).map { "m,device=d\($0) p=\($0 == high ? 11 : 9) \(now + second)" }.joined(separator: "\n")
            }
            try await world.lines(body(-9, 555))
            #expect(try await world.alerts().map(\.condition) == ["active"])
            func started() -> IngestService {
                let directory = DeviceDirectory(stores: world.stores, clock: world.clock)
                return IngestService(
                    stores: world.stores, clock: world.clock, directory: directory,
                    alerting: AlertingService(stores: world.stores, clock: world.clock, directory: directory))
            }
            // It is no new alert as long as it lasts, and ends when it does.
            for (second, high, condition) in [(-8, 555, "active"), (-7, -1, "normal")] as [(Int64, Int, String)] {
                _ = try await started().receiveLines(
                    World.body(body(second, high)), precision: "s", by: world.principal)
                #expect(try await world.alerts().map(\.condition) == [condition], "\(second)")
            }
        }
    }

    @Test func `that very many devices are heard again is recorded a moment later, of few at once`() async throws {
        try await withWorld { world in
            let (few, many) = (3, IngestSettings.newsMax + 1)
            let (tenant, now) = (world.tenant, World.start)
            // A long transaction would stand in the way of all other worlds on a server.
            for start in stride(from: 0, to: few + many, by: 50) {
                try await world.stores.relational.write(in: world.scope) { transaction in
                    for number in start..<min(start + 50, few + many) {
                        try transaction.execute(
                            """
                            INSERT INTO devices (id, tenant_id, code, name, kind, status, connection, metadata,
                                is_discovered, version, created_at, updated_at)
                            VALUES (\(DeviceID(at: now)), \(tenant), \("d\(number)"), 'd', 'sensor', 'active', '{}',
                                '{}', \(false), 1, \(now), \(now))
                            """)
                    }
                }
            }
            func heard() async throws -> Int {
                try await world.stores.relational.read(in: world.scope) { transaction in
                    try transaction.rows("SELECT count(*) AS count FROM device_activity").first?
                        .get("count", as: Int.self) ?? 0
                }
            }
            func send(_ devices: Range<Int>) async throws {
                try await world.lines(devices.map { "m,device=d\($0) p=1 1748779100" }.joined(separator: "\n"))
            }
            try await send(0..<few)
            #expect(try await heard() == few)
            try await send(few..<few + many)
            #expect(try await heard() == few)
            await world.alerting.settleAll()
            #expect(try await heard() == few + many)
        }
    }

    @Test func `units of many devices are those of each alone`() async throws {
        try await withWorld { world in
            try await world.device("d7")
            try await world.send(#"{"metric": "m_p", "value": 1, "unit": "bar"}"#, to: "d7")
            for metric in ["a", "b"] {
                try await world.send("{\"metric\": \"\(metric)\", \"value\": 1, \"unit\": \"kWh\"}", to: "d7")
            }
            let lines = (0..<700).map { "m,device=d\($0) p=1 1748779100" }.joined(separator: "\n")
            try await world.lines(lines)
            let latest = try await world.query.latest(ofDevice: "d7", in: world.scope)
            #expect(latest.first { $0.metric == "m_p" }?.unit == "bar")
            let other = try await world.query.latest(ofDevice: "d8", in: world.scope)
            #expect(other.first { $0.metric == "m_p" }?.unit == nil)
        }
    }

    @Test func `a metric that came without a unit shows the one that comes later`() async throws {
        try await withWorld { world in
            try await world.device("a")
            for unit in [nil, "bar", nil] as [String?] {
                let member = unit.map { ", \"unit\": \"\($0)\"" } ?? ""
                try await world.send("{\"metric\": \"p\", \"value\": 1\(member)}", to: "a")
                world.clock.move(.seconds(1))
            }
            let latest = try await world.query.latest(ofDevice: "a", in: world.scope)
            #expect(latest.first { $0.metric == "p" }?.unit == "bar")
            // The unit is known to whoever starts anew, too.
            let ingest = IngestService(
                stores: world.stores, clock: world.clock, directory: world.directory, alerting: world.alerting)
            let body = Array(#"{"metric": "p", "value": 2}"#.utf8)
            _ = try await ingest.receiveJSON(body, device: "a", by: world.principal)
            let later = try await world.query.latest(ofDevice: "a", in: world.scope)
            #expect(later.first { $0.metric == "p" }?.unit == "bar")
        }
    }
}
