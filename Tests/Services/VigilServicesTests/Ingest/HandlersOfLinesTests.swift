import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct HandlersOfLinesTests {
    private func lines(_ text: String, _ world: World) async throws -> LineReceipt {
        let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(Array(text.utf8))
            continuation.finish()
        }
        return try await world.ingest.receiveLines(body, precision: "s", by: world.principal)
    }

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
                let receipt = try await lines("sensor,device=d \(fields),battery=80 \(1_748_779_190 + second)", world)
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
            let receipt = try await lines(
                "sensor,device=d \(fields),battery=80 1748779190\nsensor,device=d battery=79 1748779191", world)
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
            _ = try await lines("sensor,device=d smoke=1i 1748779190\nsensor,device=d smoke=0 1748779191", world)
            let page = try await world.query.readings(
                ofDevice: "d", metric: "sensor_smoke", range: .always, cursor: nil, limit: 10, in: world.scope)
            #expect(page.items.map { $0.values["sensor_smoke"] } == [.bool(false), .bool(true)])
        }
    }
}
