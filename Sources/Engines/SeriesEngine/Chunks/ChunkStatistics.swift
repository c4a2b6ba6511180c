import VigilPorts

/// How the directory of a chunk writes what is known of the numbers of a series.
///
/// The count (0: no numbers, nothing follows); how long after the first sample of the series the first number is, and how
/// long before the last sample the last number (varints); then first, last, least, greatest, sum, average, resets and sum
/// of squared distances, each as a float: byte 0…9 for so many decimal places and a signed varint, or 16 and eight bytes.
enum ChunkStatistics {
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    private static let bitsTag: UInt8 = 16
    private static let partCount = 8

    static func of(_ series: RawSeries) -> WindowAggregate {
        var aggregate = WindowAggregate()
        let numbers = NumberColumn(series)
        numbers.times.withUnsafeBufferPointer { times in
            numbers.values.withUnsafeBufferPointer { aggregate.add(times, $0, .everything) }
        }
        return aggregate
    }

    static func encode(
        _ statistics: WindowAggregate, firstTime: Int64, lastTime: Int64, to writer: inout ByteWriter
    ) {
        writer.append(varint: UInt64(statistics.count))
        guard statistics.count > 0 else { return }
        writer.append(varint: UInt64(bitPattern: statistics.firstTime &- firstTime))
        writer.append(varint: UInt64(bitPattern: lastTime &- statistics.lastTime))
        for value in [
            statistics.first, statistics.last, statistics.minimum, statistics.maximum, statistics.sum,
            statistics.mean, statistics.resets, statistics.squares,
        ] { append(value, to: &writer) }
    }

    static func decode(
        _ reader: inout ByteReader, firstTime: Int64, lastTime: Int64
    ) throws(ByteReader.Malformed) -> WindowAggregate {
        let count = try reader.count(limit: 1 << 28)
        guard count > 0 else { return WindowAggregate() }
        let first = firstTime &+ Int64(bitPattern: try reader.varint())
        let last = lastTime &- Int64(bitPattern: try reader.varint())
        var parts: [Double] = []
        for _ in 0..<partCount { parts.append(try float(&reader)) }
        return WindowAggregate(
            count: count, sum: parts[4], average: parts[5], minimum: parts[2], maximum: parts[3], first: parts[0],
            last: parts[1], firstTime: first, lastTime: last, resets: parts[6], squares: parts[7])
    }

    private static func append(_ value: Double, to writer: inout ByteWriter) {
        for (places, power) in powers.enumerated() {
            let product = (value * power).rounded()
            guard abs(product) < 1e12 else { break }
            let integer = Int64(product)
            guard (Double(integer) / power).bitPattern == value.bitPattern else { continue }
            writer.append(UInt8(places))
            writer.append(signed: integer)
            return
        }
        writer.append(bitsTag)
        writer.append(number: value.bitPattern)
    }

    private static func float(_ reader: inout ByteReader) throws(ByteReader.Malformed) -> Double {
        let tag = try reader.byte()
        if tag == bitsTag { return Double(bitPattern: try reader.number()) }
        guard Int(tag) < powers.count else { throw ByteReader.Malformed() }
        return Double(try reader.signed()) / powers[Int(tag)]
    }
}
