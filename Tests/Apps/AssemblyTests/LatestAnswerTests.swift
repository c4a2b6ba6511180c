import Foundation
import Testing
import VigilModel

@testable import VigilInterface
@testable import VigilServices

@Suite struct LatestAnswerTests {
    private static func value(
        _ device: UInt64, _ metric: String, _ value: JSONValue, unit: String? = nil, second: Int64 = 0
    ) -> LatestValue {
        LatestValue(
            device: DeviceID(high: 1, low: device), code: "d\"\(device)", metric: metric,
            labels: ["area": "a/\(device)"], value: value, unit: unit, time: Timestamp(seconds: second),
            arrival: Timestamp(microseconds: 1_700_000_000_500_000 + second), quality: 100,
            mayBeOlder: device == 2 ? true : nil)
    }

    @Test func `newest values are written as an encoder writes them, however much neighbours share`() async throws {
        let values = [
            Self.value(1, "a", .number(1.5), unit: "°C"), Self.value(1, "b", .integer(7)),
            Self.value(1, "c", .string("open\n"), second: 5), Self.value(2, "a", .bool(true), second: 5),
            Self.value(2, "d", .object(["x": .array([.null, .number(2)])]), second: 6), Self.value(1, "a", .null),
        ]
        for count in 0...values.count {
            let some = Array(values.prefix(count))
            let response = await LatestAnswer.response(some)
            guard case .bytes(let bytes) = response.body else {
                Issue.record("the answer is no bytes")
                return
            }
            let expected = try Response.json(Page(items: some, next: nil))
            guard case .bytes(let encoded) = expected.body else { return }
            #expect(
                try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
                    == JSONValue(parsing: String(decoding: encoded, as: UTF8.self)))
        }
    }
}
