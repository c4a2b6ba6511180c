import Foundation
import HTTPTypes
import Testing
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

/// Newest values are written by hand, and read like what an encoder writes.
@Suite struct LatestAnswerTests {
    private let devices = [DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2)]

    private func sample(
        _ device: Int, _ metric: String, _ value: ReadingValue, labels: Labels = .none, second: Int64 = 60,
        arrival: Int64 = 61, quality: Quality = .good, isCertain: Bool = true
    ) -> LatestSample {
        LatestSample(
            identity: SeriesIdentity(device: devices[device], metric: metric, labels: labels),
            sample: Sample(time: Timestamp(seconds: second), value: value, quality: quality),
            arrival: Timestamp(seconds: arrival), isCertain: isCertain)
    }

    private func written(_ samples: [LatestSample]) async throws -> (text: String, encoded: String) {
        let roster = Roster([
            Roster.Member(device: devices[1], code: "pump \"2\"", units: ["flow": "m³/h"]),
            Roster.Member(device: devices[0], code: "boiler", units: [:]),
        ])
        let values = NewestValues(samples, of: roster)
        guard case .bytes(let bytes) = await LatestAnswer.response(values).body else { return ("", "-") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let page = try encoder.encode(Page(items: Array(values), next: nil))
        return (String(decoding: bytes, as: UTF8.self), String(decoding: page, as: UTF8.self))
    }

    @Test func `values are written as an encoder writes them, whatever neighbours share`() async throws {
        let area = Labels(["area": "a/1", "line": "2"])
        let (text, encoded) = try await written([
            sample(1, "flow", .float(12.25)), sample(1, "flow", .integer(7), labels: area),
            sample(1, "mode", .text("on \"auto\""), labels: area),
            sample(1, "running", .boolean(true), labels: area, second: 50, quality: .bad),
            sample(1, "state", .object("{\"b\": 1, \"a\": [1.50, null]}"), labels: area, second: 50, arrival: 70),
            sample(0, "level", .float(-0.001), isCertain: false), sample(0, "flow", .float(1e300)),
            sample(0, "void", .float(.nan), labels: area), sample(0, "__own", .integer(1)),
        ])
        #expect(text == encoded)
        #expect(text.contains("\"unit\":\"m³/h\"") && !text.contains("__own"))
    }

    @Test func `a site without values is an empty page`() async throws {
        #expect(try await written([]).text == "{\"items\":[]}")
    }

    @Test func `values come by the code of their device, then by metric`() async throws {
        let (text, _) = try await written([
            sample(1, "b", .integer(1)), sample(1, "a", .integer(2)), sample(0, "z", .integer(3)),
        ])
        let order = text.split(separator: "\"value\":").dropFirst().compactMap { $0.first }
        #expect(order == ["3", "2", "1"])
    }
}
