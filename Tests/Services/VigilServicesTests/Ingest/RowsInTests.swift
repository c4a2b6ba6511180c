import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct RowsInTests {
    @Test func `of two keys that mean one source the later line wins`() async throws {
        try await withWorld { world in
            _ = try await world.lines("m,device=a,x=1 f=1 1748779200\nm,x=1,device=a f=2 1748779200")
            _ = try await world.lines("m,x=1,device=a f=3 1748779100\nm,device=a,x=1 f=4 1748779100")
            let page = try await world.query.readings(
                ofDevice: "a", metric: "m_f", range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(page.items.map { $0.values["m_f"] } == [.number(2), .number(4)])
        }
    }

    @Test func `a line whose one metric belongs to somebody else keeps its others`() async throws {
        try await withWorld { world in
            try await world.device("a")
            try await world.send(#"{"metric": "boiler_flow", "value": 1}"#, to: "a")
            let receipt = try await world.lines("boiler,device=a flow=2,level=3 1748779200")
            #expect(receipt.receipt.accepted == 1)
            #expect(receipt.receipt.refusals.map(\.code) == ["metric.taken"])
            let latest = try await world.query.latest(ofDevice: "a", in: world.scope)
            #expect(latest.first { $0.metric == "boiler_level" }?.value == .number(3))
            #expect(latest.first { $0.metric == "boiler_flow" }?.value == .number(1))
        }
    }

    @Test func `a device that is switched off between two requests is refused in the second`() async throws {
        try await withWorld { world in
            try await world.device("a")
            #expect(try await world.lines("m,device=a f=1 1748779200").receipt.accepted == 1)

            try await world.stores.relational.write(in: world.scope) { transaction in
                try transaction.execute("UPDATE devices SET status = 'inactive' WHERE code = 'a'")
            }
            await world.directory.forget(nil, tenant: world.tenant)
            let receipt = try await world.lines("m,device=a f=2 1748779201\nm,device=b f=1 1748779201")
            #expect(receipt.receipt.accepted == 1)
            #expect(receipt.receipt.refusals.map(\.code) == ["device.inactive"])
        }
    }

    @Test func `a unit that changes is the unit from then on`() async throws {
        try await withWorld { world in
            try await world.device("a")
            for unit in ["bar", "kPa", "bar"] {
                try await world.send("{\"metric\": \"p\", \"value\": 1, \"unit\": \"\(unit)\"}", to: "a")
                let latest = try await world.query.latest(ofDevice: "a", in: world.scope)
                #expect(latest.first { $0.metric == "p" }?.unit == unit)
            }
        }
    }

    @Test func `late readings of a quiet stretch raise nothing, and those that breach do`() async throws {
        try await withWorld { world in
            try await world.device("a")
            var form = RuleForm(name: "High", metric: "p", condition: "above")
            form.threshold = 10
            _ = try await world.alerting.createRule(form, by: world.principal)
            for (second, value) in [(30, 1), (10, 2), (20, 3), (15, 50), (25, 4)] {
                try await world.send(
                    "{\"metric\": \"p\", \"value\": \(value), \"time\": \"2025-06-01T11:59:\(second)Z\"}", to: "a")
            }
            let alerts = try await world.alerts()
            #expect(alerts.map(\.eventTime) == ["2025-06-01T11:59:15Z"])
        }
    }

    @Test func `a line is processed once rules have run, and says so`() async throws {
        try await withWorld { world in
            let flaky = FlakyStore(world.stores.relational)
            var stores = world.stores
            stores.relational = flaky
            let directory = DeviceDirectory(stores: stores, clock: world.clock)
            let alerting = AlertingService(stores: stores, clock: world.clock, directory: directory)
            let ingest = IngestService(stores: stores, clock: world.clock, directory: directory, alerting: alerting)
            let send = { (text: String) in
                try await ingest.receiveLines(World.body(text), precision: "s", by: world.principal)
            }
            // Silent for so long, the device's activity is written with each batch.
            _ = try await send("m,device=a f=1 1748779100")
            world.clock.move(.seconds(10))
            _ = try await send("m,device=a f=2 1748779200")
            world.clock.move(.seconds(10))
            flaky.setFailing(true)
            #expect(try await send("m,device=a f=3 1748779300").receipt.processed == false)
            let processed = {
                try await world.query.readings(
                    ofDevice: "a", metric: "m_f", range: .always, cursor: nil, limit: 10, in: world.scope
                ).items.map(\.processed)
            }
            #expect(try await processed() == [false, true, true])
            try await world.ingest.resumeAll()
            #expect(try await processed() == [true, true, true])
        }
    }

    @Test func `bodies that do not fit beside the others are refused, and a big one alone is not`() async throws {
        try await withWorld { world in
            var settings = IngestSettings()
            settings.bytesInFlightMax = 16
            let ingest = IngestService(
                stores: world.stores, clock: world.clock, directory: world.directory, alerting: world.alerting,
                settings: settings)
            let (stream, first) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
            first.yield(Array("m,device=a f=1 1748779100\n".utf8))
            let waiting = Task { try await ingest.receiveLines(stream, precision: "s", by: world.principal) }
            let json = Array(#"{"metric": "x", "value": 1}"#.utf8)
            try await world.device("b")
            var error: ServiceError?
            while error == nil {
                do {
                    _ = try await ingest.receiveJSON(json, device: "b", by: world.principal)
                    await Task.yield()
                } catch let refusal as ServiceError {
                    error = refusal
                }
            }
            #expect(error?.code == "ingest.busy" && error?.retryAfter != nil)
            first.finish()
            #expect(try await waiting.value.receipt.accepted == 1)
            #expect(try await ingest.receiveJSON(json, device: "b", by: world.principal).accepted == 1)
        }
    }

    @Test func `an unknown device of many in one batch is discovered, and one too many is named`() async throws {
        try await withWorld { world in
            var settings = DeviceDirectory.Settings()
            settings.discoveriesMax = 3
            let directory = DeviceDirectory(stores: world.stores, clock: world.clock, settings: settings)
            let ingest = IngestService(
                stores: world.stores, clock: world.clock, directory: directory, alerting: world.alerting)
            let json =
                "["
                + (0..<5).map { "{\"device\": \"n\($0)\", \"metric\": \"x\", \"value\": 1}" }
                .joined(separator: ",") + "]"
            let receipt = try await ingest.receiveJSON(Array(json.utf8), device: nil, by: world.principal)
            #expect(receipt.accepted == 3)
            #expect(receipt.refusals.map(\.code) == ["discovery.limit", "discovery.limit"])
            #expect(receipt.refusals.map(\.line) == [4, 5])
        }
    }
}
