import Testing

@testable import SeriesEngine

/// Counting on encoded numbers, held against the numbers one by one.
@Suite struct CodecCountingTests {
    /// Numbers of eight kinds, among which every way to encode integers comes up.
    private static func integers(_ kind: Int, using random: inout SeededGenerator) -> [Int64] {
        let count = Int.random(in: 1...900, using: &random)
        var level = Int64.random(in: -500...500, using: &random)
        return (0..<count).map { index in
            if kind == 1 { level += Int64.random(in: -31...31, using: &random) }
            if kind == 2, Int.random(in: 0..<9, using: &random) == 0 { level += 1 }
            return switch kind {
            case 0...2: level
            case 3: Int64.random(in: -9...9, using: &random)
            case 4: Int64(index) * 60 + level
            case 5: Int64(index) * Int64(index) + Int64.random(in: 0...2, using: &random)
            case 6: Int64(bitPattern: random.next()) >> 14
            default: Int64(bitPattern: random.next())
            }
        }
    }

    /// Bounds that lie on numbers, right beside them, between them and far away.
    private static func bounds(of numbers: [Double], using random: inout SeededGenerator) -> [Double] {
        let some = (0..<6).compactMap { _ in numbers.randomElement(using: &random) }
        return some + some.map(\.nextUp) + some.map(\.nextDown) + some.map { $0 + 0.05 }
            + [0, -0.0, 0.1, 1e300, -1e300, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, 9.007199254740993e15]
    }

    private static func compare(
        _ numbers: [Double], _ comment: String, using random: inout SeededGenerator,
        _ count: (NumberCondition.OfIntegers) throws -> Int
    ) throws {
        for bound in bounds(of: numbers, using: &random) {
            for condition in [.above(bound), .below(bound)] as [NumberCondition] {
                let found = try count(NumberCondition.OfIntegers(condition))
                #expect(found == numbers.count(where: condition.holds), "\(comment): \(condition)")
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `encoded floats are counted as the floats are`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var tags: Set<UInt8> = []
        for round in 0..<160 {
            let power = FloatCodec.powers[Int.random(in: 0...9, using: &random)]
            var numbers = Self.integers(round % 8, using: &random).map { Double($0) / power }
            if round % 3 == 0 {
                for special in [.nan, -0.0, .infinity, -.infinity, .pi] as [Double] where Bool.random(using: &random) {
                    numbers[Int.random(in: numbers.indices, using: &random)] = special
                }
            }
            let bytes = FloatCodec.encode(numbers.map(\.bitPattern), round % 5 == 0 ? .quick : .thorough)
            tags.insert(bytes[0])
            try Self.compare(numbers, "seed \(seed) round \(round) by \(power)", using: &random) {
                try FloatCodec.count(bytes[...], count: numbers.count, where: $0)
            }
        }
        #expect(tags.count > 6, "decimals of many powers, and bits")
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `encoded integers are counted as the floats they make`(
        _ seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        var tags: Set<UInt8> = []
        for round in 0..<160 {
            let integers = Self.integers(round % 8, using: &random)
            let bytes = IntegerCodec.encode(integers, round % 5 == 0 ? .quick : .thorough)
            tags.insert(bytes[0] & 15)
            try Self.compare(integers.map { Double($0) }, "seed \(seed) round \(round)", using: &random) {
                try $0.count(bytes[...], count: integers.count, places: nil)
            }
        }
        #expect(tags.isSuperset(of: [0, 1, 2, 3, 7]), "\(tags.sorted())")
    }

    @Test func `bytes that nobody wrote are refused and never trap`() {
        var random = SeededGenerator(seed: 43)
        let condition = NumberCondition.OfIntegers(.above(3))
        for _ in 0..<3000 {
            let count = Int.random(in: 1...64, using: &random)
            let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...(Bool.random(using: &random) ? 9 : 255), using: &random)
            }
            _ = try? condition.count(bytes[...], count: count, places: 2)
            _ = try? FloatCodec.count(bytes[...], count: count, where: condition)
        }
    }
}
