import Synchronization
import VigilModel
import VigilPorts

/// The bytes of a chunk, parted into its columns; a column is decoded when it is asked for, a list of times once.
final class ChunkContent: Sendable {
    private struct TimeList {
        let count: Int
        let bytes: ArraySlice<UInt8>
    }

    private struct Column {
        let list: Int
        let block: ArraySlice<UInt8>
    }

    private struct Decoded {
        var times: [Int: [Int64]] = [:]
        /// Of series, where they are kept for other questions.
        var numbers: [UInt32: NumberColumn] = [:]
        var bytes = 0
    }

    private let lists: [TimeList]
    private let columns: [UInt32: Column]
    private let decoded = Mutex(Decoded())
    /// Counts what is kept decoded; `nil` where nothing is.
    private let kept: KeptContents?
    let byteCount: Int

    /// Checks the checksum and finds the columns.
    init(_ bytes: [UInt8], kept: KeptContents? = nil) throws(ByteReader.Malformed) {
        self.kept = kept
        byteCount = bytes.count
        var lists: [TimeList] = []
        var columns: [UInt32: Column] = [:]
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
        self.lists = lists
        self.columns = columns
        kept?.grow(by: byteCount)
    }

    deinit {
        kept?.shrink(by: byteCount + decoded.withLock { $0.bytes })
    }

    /// The series of the chunk, in no order.
    var series: [UInt32] { Array(columns.keys) }

    private func times(_ list: Int) throws(ByteReader.Malformed) -> [Int64] {
        if let times = decoded.withLock({ $0.times[list] }) { return times }
        let times = try IntegerCodec.decode(lists[list].bytes, count: lists[list].count)
        keep(times.count * 8) { $0.times.updateValue(times, forKey: list) == nil }
        return times
    }

    /// Notes what `change` adds, when it says that it was not there.
    private func keep(_ bytes: Int, _ change: (inout Decoded) -> Bool) {
        let isNew = decoded.withLock { decoded in
            guard change(&decoded) else { return false }
            if kept != nil { decoded.bytes += bytes }
            return true
        }
        if isNew { kept?.grow(by: bytes) }
    }

    /// Whether the numbers of a series are decoded already.
    func knowsNumbers(of series: UInt32) -> Bool { decoded.withLock { $0.numbers[series] != nil } }

    /// All samples of a series, or `nil` when the chunk has none of it.
    func samples(_ series: UInt32) throws(ByteReader.Malformed) -> RawSeries? {
        guard let column = columns[series] else { return nil }
        return try ColumnChunk.decode(column.block, times: try times(column.list))
    }

    /// The numbers of a series with their times; text and objects are passed over.
    func numbers(_ series: UInt32) throws(ByteReader.Malformed) -> NumberColumn? {
        guard let column = columns[series] else { return nil }
        if kept != nil, let known = decoded.withLock({ $0.numbers[series] }) { return known }
        let times = try times(column.list)
        let found: NumberColumn
        if let values = try ColumnChunk.numbers(column.block, count: times.count) {
            found = NumberColumn(times: times, values: values)
        } else {
            found = NumberColumn(try ColumnChunk.decode(column.block, times: times))
        }
        if kept != nil {
            // Times that all columns of a list share are counted once.
            keep(found.values.count * 8) { $0.numbers.updateValue(found, forKey: series) == nil }
        }
        return found
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
