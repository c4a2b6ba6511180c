import VigilModel
import VigilPorts

/// Finds the newest sample of each of some series of one group.
///
/// Block by block and not series by series: a block's rows hold all fields of a device, so that where a series stands in
/// them is looked up once.
struct NewestSamples {
    /// Where the newest sample of a series lies.
    private struct Place {
        enum Kind {
            case none
            case row
            case chunk
        }

        var kind = Kind.none
        /// The block or the chunk.
        var container = 0
        var row = 0
        var column = 0
        var time = Int64.min
    }

    private let entries: [SeriesEntry]
    private let blocks: [OpenBlock]
    private let chunks: [ChunkReference]
    private var places: [Place]
    /// The places of the series by their numbers, where there are many.
    private let byNumber: [UInt32: Int]
    private static let walkedEntriesMax = 24

    /// - Parameter chunks: By generation; only those that hold the newest sample of a series need be there.
    init(of entries: [SeriesEntry], blocks: [OpenBlock], chunks: [ChunkReference]) {
        self.entries = entries
        self.blocks = blocks
        self.chunks = chunks
        places = Array(repeating: Place(), count: entries.count)
        byNumber =
            entries.count <= Self.walkedEntriesMax
            ? [:] : Dictionary(zip(entries.map(\.number), entries.indices), uniquingKeysWith: { $1 })
        // Of two samples with one time the one that came later counts: what is seen first stays.
        for index in blocks.indices.reversed() where blocks[index].count > 0 { look(inBlock: index) }
        for index in chunks.indices.reversed() { look(inChunk: index) }
    }

    /// The samples with the arrivals of their rows, in the order of the series that have one.
    func forEach(_ body: (LatestSample) -> Void) {
        for index in entries.indices {
            let (entry, place) = (entries[index], places[index])
            switch place.kind {
            case .none: continue
            case .row: body(sample(of: entry, place, blocks[place.container]))
            case .chunk:
                let column = chunks[place.container].columns[place.column]
                body(
                    LatestSample(
                        identity: entry.identity, sample: column.last,
                        arrival: Timestamp(microseconds: column.arrival)))
            }
        }
    }

    /// When the newest sample of each series is of, and when its row came; only open rows say so.
    var arrivals: [(time: Int64, arrival: Int64)?] {
        places.map { $0.kind == .row ? (time: $0.time, arrival: blocks[$0.container].arrival($0.row)) : nil }
    }

    private func sample(of entry: SeriesEntry, _ place: Place, _ block: OpenBlock) -> LatestSample {
        let bits = block.bits(place.row, place.column)
        let value: ReadingValue =
            switch block.layout.columns[place.column].kind {
            case .float: .float(Double(bitPattern: bits))
            case .integer: .integer(Int64(bitPattern: bits))
            case .boolean: .boolean(bits != 0)
            case .text: .text(block.texts[Int(bits)])
            case .object: .object(block.texts[Int(bits)])
            }
        return LatestSample(
            identity: entry.identity,
            sample: Sample(
                time: Timestamp(microseconds: place.time), value: value,
                quality: Quality(rawValue: block.quality(place.row, place.column))),
            arrival: Timestamp(microseconds: block.arrival(place.row)))
    }

    // MARK: - Looking

    private mutating func look(inBlock index: Int) {
        blocks.withUnsafeBufferPointer { blocks in
            let columns = blocks[index].layout.columns
            var expected = 0
            for column in columns.indices {
                guard let series = place(ofNumber: columns[column].series.number, expected: expected) else { continue }
                expected = series + 1
                let known = places[series]
                // One series in two columns, because its kind changed: of one time, the later row counts.
                let isHere = known.kind == .row && known.container == index
                let last = blocks[index].lastTime
                guard known.kind == .none || last > known.time || isHere && last == known.time,
                    let row = blocks[index].newestRow(ofColumn: column)
                else { continue }
                let time = blocks[index].time(row)
                guard known.kind == .none || time > known.time || isHere && time == known.time && row >= known.row
                else { continue }
                places[series] = Place(kind: .row, container: index, row: row, column: column, time: time)
            }
        }
    }

    private mutating func look(inChunk index: Int) {
        var expected = 0
        chunks[index].columns.withUnsafeBufferPointer { columns in
            for column in columns.indices {
                guard let series = place(ofNumber: columns[column].series, expected: expected) else { continue }
                expected = series + 1
                guard columns[column].lastTime > places[series].time || places[series].kind == .none else { continue }
                places[series] = Place(kind: .chunk, container: index, column: column, time: columns[column].lastTime)
            }
        }
    }

    /// The place of a series among those that are asked for; mostly they stand in the same order everywhere.
    private func place(ofNumber number: UInt32, expected: Int) -> Int? {
        if expected < entries.count, entries[expected].number == number { return expected }
        if entries.count > Self.walkedEntriesMax { return byNumber[number] }
        return entries.firstIndex { $0.number == number }
    }
}

extension OpenBlock {
    /// The newest row in which a column has a value; of rows with one time, the last.
    func newestRow(ofColumn column: Int) -> Int? {
        // Nearly always the row that is newest of all has one.
        if isPresent(newestRow, column) { return newestRow }
        var best: Int?
        for row in stride(from: count - 1, through: 0, by: -1) where isPresent(row, column) {
            if let best, time(row) <= time(best) { continue }
            best = row
            if isSorted { break }
        }
        return best
    }
}
