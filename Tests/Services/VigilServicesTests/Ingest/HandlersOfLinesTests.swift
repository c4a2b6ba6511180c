import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct HandlersOfLinesTests {
    struct Detection: Sendable {
        let handler: String
        let quiet: String
        let alarm: String
        let title: String
    }

    @Test(arguments: [
        Detection(handler: "smoke", quiet: "smoke=false", alarm: "smoke=true", title: "Smoke"),
        Detection(handler: "smoke", quiet: "value=0i", alarm: "value=1i", title: "Smoke"),
        Detection(handler: "carbon_monoxide", quiet: "detected=0", alarm: "detected=1", title: "Carbon monoxide"),
        Detection(handler: "water_leak", quiet: "water_leak=f", alarm: "water_leak=t", title: "Water"),
        Detection(handler: "glass_break", quiet: "glass_break=false", alarm: "glass_break=true", title: "Glass break"),
        Detection(handler: "motion", quiet: "motion=false", alarm: "motion=true", title: "Motion"),
        Detection(handler: "camera", quiet: "motion_detected=false", alarm: "motion_detected=true", title: "Motion"),
        Detection(handler: "door_contact", quiet: #"state="closed""#, alarm: #"state="open""#, title: "opened"),
        Detection(handler: "window_contact", quiet: "open=false", alarm: "open=true", title: "opened"),
    ])
    func `what a detector says in a line raises its alert once`(_ detection: Detection) async throws {
        try await withWorld { world in
            try await world.device("d", handler: detection.handler)
            for (second, fields) in [detection.quiet, detection.alarm, detection.alarm].enumerated() {
                let receipt = try await world.lines("sensor,device=d \(fields),battery=80 \(1_748_779_190 + second)")
                #expect(receipt.refusedLines == 0)
            }
            let alerts = try await world.alerts()
            #expect(alerts.map(\.eventTime) == ["2025-06-01T11:59:51Z"])
            #expect(alerts.first?.title.contains(detection.title) == true)
        }
    }

    @Test(arguments: [
        ("smoke", #"smoke="banana""#, "reading.detector"), ("smoke", "smoke=2i", "reading.detector"),
        ("smoke", "value=0.5", "reading.detector"), ("door_contact", #"state="ajar""#, "reading.contact"),
        ("door_contact", "open=7", "reading.detector"), ("camera", #"motion_detected="x""#, "reading.detector"),
        ("temperature", #"temperature="warm""#, "reading.number"), ("numeric", "value=true", "reading.number"),
    ])
    func `a line with what such a device cannot report is refused by field, the others stay`(
        _ handler: String, _ fields: String, _ code: String
    ) async throws {
        try await withWorld { world in
            try await world.device("d", handler: handler)
            let receipt = try await world.lines(
                "sensor,device=d \(fields),battery=80 1748779190\nsensor,device=d battery=79 1748779191")
            #expect(receipt.refusedLines == 1 && receipt.receipt.accepted == 1)
            #expect(receipt.refusals.map(\.code) == [code])
            #expect(receipt.refusals.first?.reason.contains(" of d must be ") == true)
            let latest = try await world.query.latest(ofDevice: "d", in: world.scope)
            #expect(latest.map(\.metric) == ["sensor_battery"] && latest.first?.value == .number(79))
        }
    }

    @Test func `the numbers 0 and 1 of a detector are kept as false and true`() async throws {
        try await withWorld { world in
            try await world.device("d", handler: "smoke")
            _ = try await world.lines("sensor,device=d smoke=1i 1748779190\nsensor,device=d smoke=0 1748779191")
            let page = try await world.query.readings(
                ofDevice: "d", metric: "sensor_smoke", range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(page.items.map { $0.values["sensor_smoke"] } == [.bool(false), .bool(true)])
        }
    }

    @Test func `what a handler, a switched-off device or a taken name refuses is named by its line`() async throws {
        try await withWorld { world in
            try await world.device("d", handler: "smoke")
            try await world.device("off", status: .inactive)
            try await world.device("a")
            try await world.send(#"{"metric": "boiler_steam_flow", "value": 1}"#, to: "a")
            let receipt = try await world.lines(
                """
                # a comment
                sensor,device=d smoke=true 1748779190
                sensor,device=off v=1 1748779190

                sensor,device=d smoke=7i 1748779191
                nonsense
                sensor,device=a text="two
                lines" 1748779191
                boiler,device=a steam_flow=1,level=2 1748779192
                sensor,device=off v=1 1748779191
                sensor,device=d smoke="x" 1748779192
                sensor,device=d battery=7 1748779193
                """)
            #expect(receipt.refusals.map(\.line) == [3, 5, 6, 9, 10, 11])
            #expect(
                receipt.refusals.map(\.code) == [
                    "device.inactive", "reading.detector", "line", "metric.taken", "device.inactive",
                    "reading.detector",
                ])
            #expect(receipt.receipt.accepted == 4)
        }
    }

    @Test(arguments: [
        Detection(handler: "smoke", quiet: "smoke=0i", alarm: "smoke=1i", title: "Smoke"),
        Detection(handler: "smoke", quiet: "value=false", alarm: "value=true", title: "Smoke"),
        Detection(handler: "door_contact", quiet: #"state="closed""#, alarm: #"state="open""#, title: "opened"),
        Detection(handler: "window_contact", quiet: "open=0", alarm: "open=1", title: "opened"),
        Detection(
            handler: "door_contact", quiet: #"state="closed",open=false"#, alarm: #"state="open",open=true"#,
            title: "opened"),
    ])
    func `lines without a measurement are watched like the others`(_ detection: Detection) async throws {
        try await withWorld { world in
            try await world.device("d", handler: detection.handler)
            for (second, fields) in [detection.quiet, detection.alarm, detection.alarm].enumerated() {
                let receipt = try await world.lines("_,device=d \(fields),battery=80 \(1_748_779_190 + second)")
                #expect(receipt.refusedLines == 0, "\(receipt.refusals)")
            }
            #expect(try await world.alerts().map(\.eventTime) == ["2025-06-01T11:59:51Z"])
            let refused = try await world.lines(
                "_,device=d battery=79 1748779200\n_,device=d \(detection.handler == "smoke" ? "smoke" : "open")=7i")
            #expect(refused.refusals.map(\.line) == [2] && refused.refusals.map(\.code) == ["reading.detector"])
        }
    }

    @Test func `a reading in JSON and a line of the same device are each taken in their own form`() async throws {
        try await withWorld { world in
            try await world.device("d", handler: "camera")
            // Beside its own member, JSON may carry anything; a line's motion is what the camera watches.
            try await world.send(#"{"motion_detected": false, "motion": 7}"#, to: "d")
            #expect(try await world.lines("_,device=d motion=7").refusals.map(\.code) == ["reading.detector"])
            #expect(try await world.lines("_,device=d motion=0").receipt.accepted == 1)
            try await world.send(#"{"motion_detected": false, "motion": 7}"#, to: "d")
            #expect(try await world.lines("_,device=d motion=7").refusals.count == 1)
        }
    }

    @Test func `a file goes through the handler of its device`() async throws {
        try await withWorld { world in
            try await world.device("d", handler: "smoke")
            let text = """
                timestamp,value
                1748779190,0
                1748779191,0.5
                nonsense,1
                1748779192,1
                1748779193,7
                1748779194,1

                """
            let plan = CSVImport(device: "d", metric: "smoke")
            let receipt = try await world.ingest.importCSV(World.body(text), plan, by: world.principal)
            #expect(receipt.rows == 6 && receipt.stored == 3 && receipt.replaced == 0 && receipt.refused == 3)
            #expect(receipt.refusals.map(\.line).sorted() == [3, 4, 6])
            #expect(receipt.last?.hasPrefix("2025-06-01T11:59:54") == true)
            let page = try await world.query.readings(
                ofDevice: "d", metric: "smoke", range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(page.items.map { $0.values["smoke"] } == [.bool(true), .bool(true), .bool(false)])
            #expect(try await world.alerts().map(\.eventTime) == ["2025-06-01T11:59:52Z"])
            let none = try await world.ingest.importCSV(
                World.body("timestamp,value\n1748779190,3\n"), plan, by: world.principal)
            #expect(none.stored == 0 && none.replaced == 0 && none.refused == 1 && none.last == nil)
        }
    }

    @Test func `a past file raises its alerts under whatever name the handler watches`() async throws {
        try await withWorld { world in
            try await world.device("d", handler: "smoke")
            var plan = CSVImport(device: "d", metric: "detected")
            plan.evaluate = true
            let text = "timestamp,value\n1700000000,0\n1700000060,1\n1700000120,1\n"
            let receipt = try await world.ingest.importCSV(World.body(text), plan, by: world.principal)
            #expect(receipt.stored == 3 && receipt.alerts == 1)
        }
    }
}
