import Foundation
import Testing
import VigilModel

@Suite struct JSONBytesTests {
    private func written(_ write: (inout JSONBytes) -> Void) -> String {
        var json = JSONBytes()
        write(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (0.0, "0"), (11.3, "11.3"), (-0.5, "-0.5"), (100_000, "100000"), (0.001, "0.001"), (-20.125, "-20.125"),
        (999_999_999.5, "999999999.5"), (0.000123, "0.000123"),
    ])
    func `decimals of few places are written as people write them`(value: Double, text: String) {
        #expect(written { _ = $0.shortDecimal(value) } == text)
    }

    @Test(arguments: [-0.0, .nan, .infinity, 1e300, 0.1 + 0.2, 1.0 / 3, 1e-7])
    func `what is no short decimal is left to others, with nothing written`(value: Double) {
        var json = JSONBytes()
        let isShort = json.shortDecimal(value)
        #expect(!isShort && json.bytes.isEmpty)
    }

    @Test func `every number reads back as the same bits`() throws {
        var state: UInt64 = 42
        for round in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let places = pow(10.0, Double(state >> 60 % 8))
            let value = (Double(Int64(bitPattern: state) >> 24) / places).rounded() / places
            let text = written { $0.value(.float(round % 2 == 0 ? value : Double(bitPattern: state >> 2))) }
            let expected = round % 2 == 0 ? value : Double(bitPattern: state >> 2)
            if expected.isFinite { #expect(Double(text)?.bitPattern == expected.bitPattern, "\(text)") }
        }
    }

    @Test(arguments: [
        "", "plain", "a \"quoted\" \\ one", "line\nbreak\u{1}", "Größe 🌡 \u{2028}",
    ])
    func `texts read back as they were`(text: String) throws {
        let json = written { $0.text(text) }
        #expect(try JSONDecoder().decode(String.self, from: Data(json.utf8)) == text)
    }

    @Test(arguments: [
        Timestamp(microseconds: 0), Timestamp(microseconds: 1_700_000_000_123_456), .distantPast, .distantFuture,
        Timestamp(microseconds: -1), Timestamp(microseconds: 951_782_400_000_000),
        Timestamp(microseconds: 1_386_266_400_500_000),
    ])
    func `times are written in the form in which they are read`(time: Timestamp) {
        let text = written { $0.time(time) }
        #expect(text == "\"\(time.description)\"")
        #expect(Timestamp(time.description)?.description == time.description)
    }

    @Test(arguments: [
        (Timestamp(seconds: 1_700_000_000), 21.5, "[1700000000,\"21.5\"]"),
        (Timestamp(microseconds: 1_700_000_000_250_000), -0.000123, "[1700000000.25,\"-0.000123\"]"),
        (Timestamp(microseconds: -1), 0, "[-0.000001,\"0\"]"),
        (Timestamp(microseconds: 0), 999_999_999.999999, "[0,\"999999999.999999\"]"),
        (.distantFuture, 1.0 / 3, "[253402300799.999999,\"other\"]"), (Timestamp(seconds: 9), -0.0, "[9,\"other\"]"),
    ])
    func `points are a moment and a number`(time: Timestamp, value: Double, text: String) {
        #expect(written { $0.point(time, value) { _ in "other" } } == text)
    }
}
