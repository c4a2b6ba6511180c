import VigilModel

/// The bytes that say what a chunk holds: the count of series, then of each its number, count, first and last time,
/// arrival, kind, quality and value of the newest sample, then its statistics (``ChunkStatistics``); all of it as a ``PackedBlock``.
enum ChunkDirectory {
    static func encode(_ columns: [ChunkColumn]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(varint: UInt64(columns.count))
        for column in columns {
            writer.append(varint: UInt64(column.series))
            writer.append(varint: UInt64(column.count))
            writer.append(signed: column.firstTime)
            writer.append(signed: column.lastTime &- column.firstTime)
            writer.append(signed: column.arrival &- column.lastTime)
            writer.append(column.last.value.kind.rawValue)
            writer.append(column.last.quality.rawValue)
            switch column.last.value {
            case .float(let value): writer.append(number: value.bitPattern)
            case .integer(let value): writer.append(signed: value)
            case .boolean(let value): writer.append(value ? 1 : 0)
            case .text(let value), .object(let value): writer.append(text: value)
            }
            ChunkStatistics.encode(
                column.statistics, firstTime: column.firstTime, lastTime: column.lastTime, to: &writer)
        }
        // The fields of a device have the same times and counts.
        return PackedBlock.pack(writer.bytes)
    }

    static func decode(_ bytes: [UInt8]) throws(ByteReader.Malformed) -> [ChunkColumn] {
        var reader = try PackedBlock.open(bytes[...])
        var columns: [ChunkColumn] = []
        for _ in 0..<(try reader.count(limit: 1 << 16)) {
            let series = UInt32(truncatingIfNeeded: try reader.varint())
            let count = try reader.count(limit: 1 << 28)
            let first = try reader.signed()
            let last = first &+ (try reader.signed())
            let arrival = last &+ (try reader.signed())
            let kind = ReadingValue.Kind(rawValue: try reader.byte())
            let quality = Quality(rawValue: try reader.byte())
            let value: ReadingValue =
                switch kind {
                case .float: .float(Double(bitPattern: try reader.number()))
                case .integer: .integer(try reader.signed())
                case .boolean: .boolean(try reader.byte() == 1)
                case .text: .text(try reader.text())
                case .object: .object(try reader.text())
                case nil: throw ByteReader.Malformed()
                }
            let sample = Sample(time: Timestamp(microseconds: last), value: value, quality: quality)
            let statistics = try ChunkStatistics.decode(&reader, firstTime: first, lastTime: last)
            columns.append(
                ChunkColumn(
                    series: series, count: count, firstTime: first, lastTime: last, last: sample, arrival: arrival,
                    statistics: statistics))
        }
        return columns
    }
}
