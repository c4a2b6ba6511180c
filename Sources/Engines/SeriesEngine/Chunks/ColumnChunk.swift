import VigilModel
import VigilPorts

/// What is known of one series in a chunk without reading its samples.
struct ChunkColumn: Sendable {
    let series: UInt32
    let count: Int
    let firstTime: Int64
    let lastTime: Int64
    /// The newest sample, and when it arrived.
    let last: Sample
    let arrival: Int64
    /// What is known of its numbers.
    let statistics: WindowAggregate
}

/// Samples of some series of one group, compressed together: series with the same times share them.
///
/// | Part | What |
/// |---|---|
/// | 8 bytes | XXH64 of all that follows |
/// | varint, blocks | how many distinct lists of times; each as its count and a block of integers |
/// | varint, blocks | how many series; of each: number, which list of times, quality, kinds, values |
///
/// Quality is one byte 0 (all good) or 1 and a block of integers. Kinds are one byte: the kind of all values, or 255 and
/// a block of integers. Values are a block of the kind's codec; of mixed kinds, texts of the values' kinds and bits.
enum ColumnChunk {
    private static let mixedKinds: UInt8 = 255

    static func encode(_ columns: [(series: UInt32, samples: RawSeries)], _ effort: EncodingEffort) -> [UInt8] {
        var lists: [[Int64]] = []
        var times = ByteWriter()
        var body = ByteWriter()
        body.append(varint: UInt64(columns.count))
        for column in columns {
            let list = column.samples.samples.map(\.time)
            // Fields that come together have the times of the one before.
            let known = lists.lastIndex(of: list)
            if known == nil {
                lists.append(list)
                times.append(varint: UInt64(list.count))
                times.append(block: IntegerCodec.encode(list, effort))
            }
            body.append(varint: UInt64(column.series))
            body.append(varint: UInt64(known ?? lists.count - 1))
            body.append(block: encode(column.samples, effort))
        }
        var whole = ByteWriter()
        whole.append(varint: UInt64(lists.count))
        whole.append(contentsOf: times.bytes)
        whole.append(contentsOf: body.bytes)
        return Checksum.seal(whole.bytes)
    }

    private static func encode(_ series: RawSeries, _ effort: EncodingEffort) -> [UInt8] {
        var writer = ByteWriter()
        let samples = series.samples
        let good = Quality.good.rawValue
        if samples.allSatisfy({ $0.quality == good }) {
            writer.append(0)
        } else {
            writer.append(1)
            writer.append(block: IntegerCodec.encode(samples.map { Int64($0.quality) }, effort))
        }
        let kind = samples.first?.kind ?? 0
        if samples.allSatisfy({ $0.kind == kind }) {
            writer.append(kind)
            writer.append(block: values(samples, kind, series.texts, effort))
            return writer.bytes
        }
        writer.append(mixedKinds)
        writer.append(block: IntegerCodec.encode(samples.map { Int64($0.kind) }, effort))
        for kind in ReadingValue.Kind.allCases {
            let some = samples.filter { $0.kind == kind.rawValue }
            writer.append(block: values(some, kind.rawValue, series.texts, effort))
        }
        return writer.bytes
    }

    private static func values(
        _ samples: [RawSample], _ kind: UInt8, _ texts: [String], _ effort: EncodingEffort
    ) -> [UInt8] {
        switch ReadingValue.Kind(rawValue: kind) {
        case .float, nil: FloatCodec.encode(samples.map(\.bits), effort)
        case .integer, .boolean: IntegerCodec.encode(samples.map { Int64(bitPattern: $0.bits) }, effort)
        case .text, .object: TextCodec.encode(samples.map { texts[Int($0.bits)] })
        }
    }

    /// The numbers of a column, or `nil` when they are not all of one kind.
    static func numbers(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [Double]? {
        var reader = ByteReader(bytes)
        if try reader.byte() == 1 { _ = try reader.block() }
        switch ReadingValue.Kind(rawValue: try reader.byte()) {
        case .float: return try FloatCodec.numbers(try reader.block(), count: count)
        case .integer: return try IntegerCodec.decode(try reader.block(), count: count).map { Double($0) }
        case .boolean: return try IntegerCodec.decode(try reader.block(), count: count).map { $0 == 0 ? 0 : 1 }
        case .text, .object, nil: return nil
        }
    }

    /// For how many numbers of a column a condition holds, or `nil` when they are not all of one kind.
    static func count(
        _ bytes: ArraySlice<UInt8>, count: Int, where condition: NumberCondition.OfIntegers
    ) throws(ByteReader.Malformed) -> Int? {
        var reader = ByteReader(bytes)
        if try reader.byte() == 1 { _ = try reader.block() }
        switch ReadingValue.Kind(rawValue: try reader.byte()) {
        case .float: return try FloatCodec.count(try reader.block(), count: count, where: condition)
        case .integer: return try condition.count(try reader.block(), count: count, places: nil)
        case .boolean: return try numbers(bytes, count: count).map { condition.condition.count($0[...]) }
        case .text, .object, nil: return nil
        }
    }

    /// The samples of one column, with the times of its list.
    static func decode(
        _ bytes: ArraySlice<UInt8>, times: [Int64]
    ) throws(ByteReader.Malformed) -> RawSeries {
        var reader = ByteReader(bytes)
        var qualities: [Int64]?
        if try reader.byte() == 1 { qualities = try IntegerCodec.decode(try reader.block(), count: times.count) }
        let kind = try reader.byte()
        var kinds: [Int64]?
        if kind == mixedKinds { kinds = try IntegerCodec.decode(try reader.block(), count: times.count) }
        var series = RawSeries()
        var pools: [[UInt64]] = []
        for pool in ReadingValue.Kind.allCases {
            guard kinds != nil || pool.rawValue == kind else {
                pools.append([])
                continue
            }
            let count = kinds.map { $0.count { $0 == Int64(pool.rawValue) } } ?? times.count
            pools.append(try values(try reader.block(), pool, count, &series.texts))
        }
        if kinds == nil, qualities == nil {
            guard pools.indices.contains(Int(kind)) else { throw ByteReader.Malformed() }
            let (bits, good) = (pools[Int(kind)], Quality.good.rawValue)
            guard bits.count == times.count else { throw ByteReader.Malformed() }
            series.samples = times.indices.map {
                RawSample(time: times[$0], bits: bits[$0], order: 0, kind: kind, quality: good)
            }
            return series
        }
        var next = [Int](repeating: 0, count: pools.count)
        series.samples.reserveCapacity(times.count)
        for (index, time) in times.enumerated() {
            let own = kinds.map { Int($0[index]) } ?? Int(kind)
            guard pools.indices.contains(own), next[own] < pools[own].count else { throw ByteReader.Malformed() }
            series.samples.append(
                RawSample(
                    time: time, bits: pools[own][next[own]], order: 0, kind: UInt8(own),
                    quality: qualities.map { UInt8(truncatingIfNeeded: $0[index]) } ?? Quality.good.rawValue))
            next[own] += 1
        }
        return series
    }

    private static func values(
        _ bytes: ArraySlice<UInt8>, _ kind: ReadingValue.Kind, _ count: Int, _ texts: inout [String]
    ) throws(ByteReader.Malformed) -> [UInt64] {
        switch kind {
        case .float: return try FloatCodec.decode(bytes, count: count)
        case .integer, .boolean: return try IntegerCodec.decode(bytes, count: count).map { UInt64(bitPattern: $0) }
        case .text, .object:
            let base = texts.count
            texts += try TextCodec.decode(bytes, count: count)
            return (0..<count).map { UInt64(base + $0) }
        }
    }
}
