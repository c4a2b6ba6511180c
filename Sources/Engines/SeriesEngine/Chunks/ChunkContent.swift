import VigilModel
import VigilPorts

/// The bytes of a chunk, parted into its columns; a column is decoded when it is asked for, a list of times once.
///
/// Belongs to one reader at a time.
final class ChunkContent {
    private struct TimeList {
        let count: Int
        let bytes: ArraySlice<UInt8>
        var times: [Int64]?
    }

    private struct Column {
        let list: Int
        let block: ArraySlice<UInt8>
    }

    private var lists: [TimeList] = []
    private var columns: [UInt32: Column] = [:]
    let byteCount: Int

    /// Checks the checksum and finds the columns.
    init(_ bytes: [UInt8]) throws(ByteReader.Malformed) {
        byteCount = bytes.count
        var reader = try Checksum.open(bytes)
        for _ in 0..<(try reader.count(limit: bytes.count)) {
            lists.append(TimeList(count: try reader.count(limit: 1 << 28), bytes: try reader.block()))
        }
        for _ in 0..<(try reader.count(limit: bytes.count)) {
            let series = UInt32(truncatingIfNeeded: try reader.varint())
            let list = Int(truncatingIfNeeded: try reader.varint())
            guard lists.indices.contains(list) else { throw ByteReader.Malformed() }
            columns[series] = Column(list: list, block: try reader.block())
        }
    }

    /// The series of the chunk, in no order.
    var series: [UInt32] { Array(columns.keys) }

    private func times(_ list: Int) throws(ByteReader.Malformed) -> [Int64] {
        if let times = lists[list].times { return times }
        let times = try IntegerCodec.decode(lists[list].bytes, count: lists[list].count)
        lists[list].times = times
        return times
    }

    /// All samples of a series, or `nil` when the chunk has none of it.
    func samples(_ series: UInt32) throws(ByteReader.Malformed) -> RawSeries? {
        guard let column = columns[series] else { return nil }
        return try ColumnChunk.decode(column.block, times: try times(column.list))
    }

    /// The numbers of a series with their times; text and objects are passed over.
    func numbers(_ series: UInt32) throws(ByteReader.Malformed) -> NumberColumn? {
        guard let column = columns[series] else { return nil }
        let times = try times(column.list)
        if let values = try ColumnChunk.numbers(column.block, count: times.count) {
            return NumberColumn(times: times, values: values)
        }
        return NumberColumn(try ColumnChunk.decode(column.block, times: times))
    }

    /// For how many numbers of a series a condition holds, without their times; `nil` where texts may lie among them.
    func count(_ series: UInt32, where condition: NumberCondition.OfIntegers) throws(ByteReader.Malformed) -> Int? {
        guard let column = columns[series] else { return nil }
        return try ColumnChunk.count(column.block, count: lists[column.list].count, where: condition)
    }
}

/// Times in order, and a number for each.
struct NumberColumn {
    var times: [Int64] = []
    var values: [Double] = []

    init(times: [Int64], values: [Double]) {
        self.times = times
        self.values = values
    }

    /// The numbers among some samples.
    init(_ series: RawSeries) {
        let float = ReadingValue.Kind.float.rawValue
        if series.samples.allSatisfy({ $0.kind == float }) {
            times = series.samples.map(\.time)
            values = series.samples.map { Double(bitPattern: $0.bits) }
            return
        }
        times.reserveCapacity(series.samples.count)
        values.reserveCapacity(series.samples.count)
        for sample in series.samples {
            guard let number = sample.number else { continue }
            times.append(sample.time)
            values.append(number)
        }
    }
}
