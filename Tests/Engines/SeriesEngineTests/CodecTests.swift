import Testing

@testable import SeriesEngine

@Suite struct CodecTests {
    /// Sequences that stress one property each.
    static let integers: [[Int64]] = [
        [], [0], [.min], [.max, .min], Array(repeating: 7, count: 1000), (0..<5000).map { $0 * 60_000_000 },
        (0..<3000).map { $0 / 500 }, [.min, .max, 0, -1, 1, .min, .max], (0..<1000).map { ($0 * 7919) % 1013 - 500 },
    ]

    @Test(arguments: integers) func `integers come back`(_ values: [Int64]) throws {
        for effort in [.quick, .thorough] as [EncodingEffort] {
            #expect(try IntegerCodec.decode(IntegerCodec.encode(values, effort)[...], count: values.count) == values)
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]) func `random numbers of every size come back`(
        _ seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<60 {
            let effort: EncodingEffort = round % 2 == 0 ? .quick : .thorough
            let count = Int.random(in: 1...(round % 10 == 0 ? 5000 : 700), using: &random)
            let bits = UInt64.random(in: 0...63, using: &random)
            let values = (0..<count).map { _ in Int64(bitPattern: random.next() >> bits) }
            #expect(
                try IntegerCodec.decode(IntegerCodec.encode(values, effort)[...], count: count) == values,
                "seed \(seed)")
            let floats = (0..<count).map { _ in random.next() >> (bits / 8) }
            #expect(
                try FloatCodec.decode(FloatCodec.encode(floats, effort)[...], count: count) == floats, "seed \(seed)")
            let places = [1.0, 10, 100, 1000, 100_000][Int(bits % 5)]
            let decimals = values.map { (Double($0 % 1_000_000) / places).bitPattern }
            #expect(
                try FloatCodec.decode(FloatCodec.encode(decimals, effort)[...], count: count) == decimals,
                "seed \(seed)")
        }
    }

    @Test func `NaN payloads, minus zero and infinities come back among decimals`() throws {
        var bits = (0..<640).map { (Double($0) / 10).bitPattern }
        bits[3] = 0x7FF0_0000_0000_0002
        bits[100] = (-0.0).bitPattern
        bits[300] = Double.infinity.bitPattern
        bits[301] = 0xFFF8_0000_0000_1234
        let encoded = FloatCodec.encode(bits)
        #expect(encoded[0] == 1, "one decimal place with exceptions is the smallest")
        #expect(try FloatCodec.decode(encoded[...], count: bits.count) == bits)
    }

    @Test func `texts come back`() throws {
        let texts = (0..<500).map { ["on", "off", "", "é \u{1F600}", "fault \($0 % 40)"][$0 % 5] }
        #expect(try TextCodec.decode(TextCodec.encode(texts)[...], count: texts.count) == texts)
    }

    @Test func `bytes that nobody wrote are refused and never trap`() {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<3000 {
            let count = Int.random(in: 1...64, using: &random)
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? IntegerCodec.decode(bytes[...], count: count)
            _ = try? FloatCodec.decode(bytes[...], count: count)
            _ = try? TextCodec.decode(bytes[...], count: count)
        }
    }

    @Test func `what is encoded in haste takes little more than what is encoded thoroughly`() throws {
        var random = SeededGenerator(seed: 6)
        for (name, step) in [("slow", 0), ("gauge", 2), ("noise", 300)] as [(String, Int64)] {
            var level: Int64 = 2000
            let values = (0..<2000).map { _ -> Int64 in
                let isMoving = step > 0 || Int.random(in: 0..<40, using: &random) == 0
                if isMoving { level += Int64.random(in: -max(1, step)...max(1, step), using: &random) }
                return level
            }
            let (quick, thorough) = (IntegerCodec.encode(values, .quick), IntegerCodec.encode(values, .thorough))
            #expect(quick.count <= thorough.count * 5 / 4, "\(name): \(quick.count) instead of \(thorough.count)")
        }
    }

    @Test func `a steady gauge takes under a byte a value`() {
        var random = SeededGenerator(seed: 5)
        var level = 200
        let bits = (0..<8000).map { _ -> UInt64 in
            level += Int.random(in: -1...1, using: &random)
            return (Double(level) / 10).bitPattern
        }
        #expect(FloatCodec.encode(bits).count < 8000 / 2)
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
