import Foundation
import StoreContracts
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Quantiles of readings that went, held against those of the readings.
@Suite struct QuantileSketchTests {
    private static let shares = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]

    enum Shape: String, CaseIterable, CustomTestStringConvertible {
        case uniform, seasonal, heavy, signed, constant, few, tiny, wide

        var testDescription: String { rawValue }

        func values(using random: inout SeededGenerator) -> [Double] {
            (0..<Int.random(in: 1...2000, using: &random)).map { index in
                let part = Double.random(in: 0..<1, using: &random)
                switch self {
                case .uniform: return (part * 1000).rounded() / 10
                case .seasonal: return 20 + 15 * sin(Double(index) / 86_400 * 10 * 2 * .pi) + part
                // Pareto with α = 1: no mean.
                case .heavy: return 1 / (1 - part)
                case .signed: return index % 50 == 0 ? 0 : (part - 0.5) * 200
                case .constant: return 21.5
                case .few: return Double(Int(part * 4))
                case .tiny: return part * 1e-300
                case .wide: return pow(10, part * 300 - 150)
                }
            }
        }

        /// What the doubled error of joined bins is, where they had to be.
        var levels: Int { self == .wide ? 5 : 0 }
    }

    /// How far a quantile may be off: a share of the two numbers that it lies between.
    private static func slack(_ share: Double, _ sorted: [Double], levels: Int) -> Double {
        let place = share * Double(sorted.count - 1)
        let index = Int(place.rounded(.down))
        let part = place - Double(index)
        let size = sorted[index].magnitude * (1 - part) + sorted[min(index + 1, sorted.count - 1)].magnitude * part
        return size * (QuantileSketch.error * pow(2, Double(levels)) + 1e-9)
    }

    @Test(arguments: Shape.allCases, [1, 2, 3] as [UInt64])
    func `a quantile is off by a hundredth at most`(_ shape: Shape, _ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3 {
            let values = shape.values(using: &random)
            let sketch = QuantileSketch(values)
            let sorted = values.sorted()
            #expect(sketch.count == Int64(values.count) && sketch.codes.count <= QuantileSketch.binsMax)
            #expect(Int(sketch.level) <= shape.levels)
            for bounds in [nil, sorted[0]...sorted[sorted.count - 1]] {
                for share in Self.shares {
                    let (have, want) = (sketch.quantile(share, bounds), WindowAggregate.quantile(share, of: sorted))
                    let slack = Self.slack(share, sorted, levels: Int(sketch.level))
                    #expect(abs(have - want) <= slack, "seed \(seed): \(share) is \(have), not \(want)")
                }
            }
        }
    }

    @Test(arguments: Shape.allCases)
    func `parts that are merged are the sketch of the whole, and what is taken out was never there`(_ shape: Shape) {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<4 {
            let values = shape.values(using: &random)
            var parts = [[Double]](repeating: [], count: Int.random(in: 1...9, using: &random))
            for value in values { parts[Int.random(in: 0..<parts.count, using: &random)].append(value) }
            var merged = QuantileSketch([])
            for part in parts.shuffled(using: &random) { merged.merge(QuantileSketch(part)) }
            #expect(merged == QuantileSketch(values))
            var other = QuantileSketch(values + [17.25])
            other.remove(17.25)
            #expect(other.count == Int64(values.count))
            if other.level == merged.level { #expect(other == merged) }
        }
    }

    @Test func `zero, infinities and NaN have their places`() {
        let sketch = QuantileSketch([
            .infinity, -.infinity, 0, -0.0, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -1,
        ])
        #expect(sketch.count == 7)
        #expect(sketch.quantile(0, nil) == -.infinity)
        #expect(abs(sketch.quantile(1.0 / 6, nil) + 1) < 0.01)
        #expect(sketch.quantile(2.0 / 6, nil) == 0 && sketch.quantile(3.0 / 6, nil) == 0)
        #expect(sketch.quantile(4.0 / 6, nil) < 1e-300)
        let largest = sketch.quantile(5.0 / 6, nil) / .greatestFiniteMagnitude
        #expect(largest > 0.98 && largest <= 1)
        #expect(sketch.quantile(1, nil) == .infinity)
        #expect(QuantileSketch([.nan]).quantile(0.5, nil).isNaN)
    }

    // MARK: - Bytes

    private static func columns(_ seed: UInt64) -> [(series: UInt32, buckets: [RollupBucket])] {
        var random = SeededGenerator(seed: seed)
        return Shape.allCases.enumerated().map { index, shape in
            var values = shape.values(using: &random)
            for index in values.indices where Int.random(in: 0..<200, using: &random) == 0 { values[index] = .nan }
            let times = values.indices.map { 1_700_000_000_000_000 + Int64($0) * 7_300_000 }
            var buckets = Rollup.kept(NumberColumn(times: times, values: values), .minute)
            // Of some nobody knows any more.
            for index in buckets.indices where index % 9 == 8 { buckets[index].sketch = nil }
            return (UInt32(index * 3), buckets)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `kept buckets come back with their sketches`(_ seed: UInt64) throws {
        let columns = Self.columns(seed)
        let content = try RollupContent(Rollup.encode(kept: columns, .minute), .minute)
        for (series, buckets) in columns {
            let found = try #require(try content.kept(series, hasSketches: true))
            #expect(found.map(\.sketch) == buckets.map(\.sketch), "series \(series)")
            #expect(found.map(\.count) == buckets.map(\.count))
            #expect(try content.buckets(series)?.map(\.lastTime) == buckets.map(\.lastTime))
            #expect(try content.kept(series, hasSketches: false)?.allSatisfy { $0.sketch == nil } == true)
        }
    }

    @Test func `a bucket of many readings keeps no more than its bins`() {
        var random = SeededGenerator(seed: 3)
        let values = (0..<20_000).map { _ in pow(10, Double.random(in: -300..<300, using: &random)) }
        let times = values.indices.map { Int64($0) * 4_000_000 }
        let buckets = Rollup.kept(NumberColumn(times: times, values: values), .day)
        let plain = Rollup.encode([(series: 1, buckets: buckets.map(\.known))], .day)
        let kept = Rollup.encode(kept: [(series: 1, buckets: buckets)], .day)
        #expect(kept.count - plain.count < QuantileSketch.binsMax * 4, "\(kept.count - plain.count) bytes")
    }

    /// Bytes with a right checksum, which nobody wrote: refused, or read as something, and never a trap.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `bytes that nobody wrote are refused and never trap`(_ seed: UInt64)
    {
        var random = SeededGenerator(seed: seed)
        let whole = Array(Rollup.encode(kept: Self.columns(seed), .minute).dropFirst(8))
        for round in 0..<150 {
            var bytes = whole
            switch round % 3 {
            case 0:
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            case 1: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            default:
                bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            guard let content = try? RollupContent(Checksum.seal(bytes), .minute) else { continue }
            for series in content.series {
                for bucket in (try? content.kept(series, hasSketches: true)) ?? [] {
                    _ = bucket.sketch?.quantile(0.5, nil)
                    _ = bucket.joined(bucket)
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `sketches that nobody wrote are refused and never trap`(
        _ seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        let known = Rollup.buckets(NumberColumn(times: [1, 2, 3], values: [1, 2, 4]), .minute)
        for _ in 0..<1000 {
            let bytes =
                [1]
                + (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...(Bool.random(using: &random) ? 8 : 255), using: &random)
                }
            var reader = ByteReader(bytes)
            for sketch in (try? SketchCodec.decode(&reader, known)) ?? [] {
                #expect(sketch?.count ?? 0 <= 3)
                _ = sketch?.quantile(0.5, nil)
            }
        }
    }
}
