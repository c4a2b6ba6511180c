import VigilModel
import VigilPorts

/// What is known of the numbers of some series, bucket by bucket.
///
/// | Part | What |
/// |---|---|
/// | 8 bytes | XXH64 of all that follows, which is a ``PackedBlock`` |
/// | varint, then each | how many series; of each: number (varint), a block of its buckets |
///
/// A block of buckets is their count (varint) and blocks of integers: the buckets' numbers, counts, how long after the
/// beginning of the bucket the first number is, and the last; then a block of the first numbers as floats, and last, least,
/// greatest, sum, average, resets and sum of squared distances: each a byte 0 and a block of floats, or 1: the same as the
/// first numbers, or 2 (average only): sum by count. Where readings went, their sketches follow (``SketchCodec``).
enum Rollup {
    /// The buckets of some samples in order of time.
    static func buckets(_ numbers: NumberColumn, _ resolution: RollupResolution) -> [WindowAggregate] {
        guard let first = numbers.times.first else { return [] }
        var folder = WindowFolder(
            start: resolution.bucket(of: first) * resolution.length, step: resolution.length,
            needs: .everything)
        folder.add(numbers, from: .min, to: .max)
        return folder.aggregates()
    }

    static func encode(_ columns: [(series: UInt32, buckets: [WindowAggregate])], _ resolution: RollupResolution)
        -> [UInt8]
    {
        sealed(columns.map { ($0.series, encode($0.buckets, resolution)) })
    }

    /// With what is known of quantiles, of readings that are about to go.
    static func encode(kept columns: [(series: UInt32, buckets: [RollupBucket])], _ resolution: RollupResolution)
        -> [UInt8]
    {
        sealed(
            columns.map { ($0.series, encode($0.buckets.map(\.known), resolution) + SketchCodec.encode($0.buckets)) })
    }

    private static func sealed(_ columns: [(series: UInt32, bytes: [UInt8])]) -> [UInt8] {
        var whole = ByteWriter()
        whole.append(varint: UInt64(columns.count))
        for (series, bytes) in columns {
            whole.append(varint: UInt64(series))
            whole.append(block: bytes)
        }
        // The fields of a device have the same times and counts.
        return Checksum.seal(PackedBlock.pack(whole.bytes))
    }

    /// More buckets than this no writer makes.
    private static let bucketsMax = 1 << 24
    /// More readings than this no bucket holds.
    private static let countMax: Int64 = 1 << 40

    private static let ownTag: UInt8 = 0
    private static let firstTag: UInt8 = 1
    private static let derivedTag: UInt8 = 2

    private static func encode(_ buckets: [WindowAggregate], _ resolution: RollupResolution) -> [UInt8] {
        var writer = ByteWriter()
        let numbers = buckets.map { resolution.bucket(of: $0.firstTime) }
        writer.append(varint: UInt64(buckets.count))
        writer.append(block: IntegerCodec.encode(numbers))
        writer.append(block: IntegerCodec.encode(buckets.map { Int64($0.count) }))
        let starts = numbers.map { $0 * resolution.length }
        writer.append(block: IntegerCodec.encode(zip(buckets, starts).map { $0.firstTime - $1 }))
        writer.append(block: IntegerCodec.encode(zip(buckets, starts).map { $0.lastTime - $1 }))
        let first = buckets.map(\.first.bitPattern)
        writer.append(block: FloatCodec.encode(first))
        for part in parts(buckets) {
            if part == first {
                writer.append(firstTag)
            } else {
                writer.append(ownTag)
                writer.append(block: FloatCodec.encode(part))
            }
        }
        // A sum that overflowed says nothing about the average.
        if buckets.allSatisfy({ $0.sum.isFinite }) {
            writer.append(derivedTag)
        } else {
            writer.append(ownTag)
            writer.append(block: FloatCodec.encode(buckets.map(\.mean.bitPattern)))
        }
        return writer.bytes
    }

    private static func parts(_ buckets: [WindowAggregate]) -> [[UInt64]] {
        [
            buckets.map(\.last.bitPattern), buckets.map(\.minimum.bitPattern), buckets.map(\.maximum.bitPattern),
            buckets.map(\.sum.bitPattern), buckets.map(\.resets.bitPattern), buckets.map(\.squares.bitPattern),
        ]
    }

    fileprivate static func decode(
        _ reader: inout ByteReader, _ resolution: RollupResolution
    ) throws(ByteReader.Malformed) -> [WindowAggregate] {
        let count = try reader.count(limit: bucketsMax)
        let numbers = try IntegerCodec.decode(try reader.block(), count: count)
        let counts = try IntegerCodec.decode(try reader.block(), count: count)
        let firstTimes = try IntegerCodec.decode(try reader.block(), count: count)
        let lastTimes = try IntegerCodec.decode(try reader.block(), count: count)
        let first = try FloatCodec.numbers(try reader.block(), count: count)
        var parts: [[Double]] = []
        for _ in 0..<6 {
            switch try reader.byte() {
            case ownTag: parts.append(try FloatCodec.numbers(try reader.block(), count: count))
            case firstTag: parts.append(first)
            default: throw ByteReader.Malformed()
            }
        }
        var averages: [Double]?
        switch try reader.byte() {
        case ownTag: averages = try FloatCodec.numbers(try reader.block(), count: count)
        case derivedTag: break
        default: throw ByteReader.Malformed()
        }
        var result: [WindowAggregate] = []
        result.reserveCapacity(count)
        for index in 0..<count {
            let start = numbers[index] &* resolution.length
            guard counts[index] > 0, counts[index] <= countMax else { throw ByteReader.Malformed() }
            result.append(
                WindowAggregate(
                    count: Int(counts[index]), sum: parts[3][index], average: averages?[index],
                    minimum: parts[1][index], maximum: parts[2][index], first: first[index], last: parts[0][index],
                    firstTime: start &+ firstTimes[index], lastTime: start &+ lastTimes[index],
                    resets: parts[4][index], squares: parts[5][index]))
        }
        return result
    }
}

/// The bytes of a rollup, parted into its series; one is decoded when it is asked for.
struct RollupContent {
    private var columns: [UInt32: ArraySlice<UInt8>] = [:]
    private let resolution: RollupResolution
    let byteCount: Int
    /// More series than this no writer puts into one.
    private static let seriesMax = 1 << 20

    /// Checks the checksum and finds the series.
    init(_ bytes: [UInt8], _ resolution: RollupResolution) throws(ByteReader.Malformed) {
        self.resolution = resolution
        byteCount = bytes.count
        _ = try Checksum.open(bytes)
        var reader = try PackedBlock.open(bytes[8...])
        for _ in 0..<(try reader.count(limit: Self.seriesMax)) {
            let series = UInt32(truncatingIfNeeded: try reader.varint())
            columns[series] = try reader.block()
        }
    }

    /// The series of the rollup, in no order.
    var series: [UInt32] { Array(columns.keys) }

    /// The buckets of a series in order of time, or `nil` when the rollup has none of it.
    func buckets(_ series: UInt32) throws(ByteReader.Malformed) -> [WindowAggregate]? {
        guard let bytes = columns[series] else { return nil }
        var reader = ByteReader(bytes)
        return try Rollup.decode(&reader, resolution)
    }

    /// The buckets of a series whose readings went; sketches take time, so they are read when they are asked for.
    func kept(_ series: UInt32, hasSketches: Bool) throws(ByteReader.Malformed) -> [RollupBucket]? {
        guard let bytes = columns[series] else { return nil }
        var reader = ByteReader(bytes)
        let known = try Rollup.decode(&reader, resolution)
        guard hasSketches else { return known.map { RollupBucket(known: $0) } }
        return zip(known, try SketchCodec.decode(&reader, known)).map { RollupBucket(known: $0, sketch: $1) }
    }
}
