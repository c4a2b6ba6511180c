import VigilModel

/// The good lines of a request in the order of arrival, before they become columns.
///
/// Values lie in one flat array as 64-bit patterns, so that a line costs no allocation; ``tables(of:names:)`` then makes
/// every column in one piece.
struct PointLog {
    struct Line {
        let slot: Int32
        let shape: Int32
        let firstValue: Int
        let time: Int64
    }

    private(set) var lines: [Line] = []
    private(set) var values: [UInt64] = []
    private var texts: [String] = []

    /// Where a line begins, to come back to when it turns out bad.
    struct Mark {
        let values: Int
        let texts: Int
    }

    var mark: Mark { Mark(values: values.count, texts: texts.count) }

    mutating func rewind(to mark: Mark) {
        values.removeLast(values.count - mark.values)
        texts.removeLast(texts.count - mark.texts)
    }

    mutating func reserve(bytes: Int) {
        values.reserveCapacity(values.count + bytes / 12)
    }

    @inline(__always)
    mutating func append(bits: UInt64) { values.append(bits) }

    mutating func append(text: String) {
        values.append(UInt64(texts.count))
        texts.append(text)
    }

    @inline(__always)
    mutating func endLine(slot: Int32, shape: Int32, firstValue: Int, time: Int64) {
        lines.append(Line(slot: slot, shape: shape, firstValue: firstValue, time: time))
    }
}

// MARK: - Columns

extension PointLog {
    /// One table for each source, in the order in which the sources first came.
    func tables(of sources: [SeriesSource?], shapes: FieldShapes) -> [ReadingTable] {
        var ends = [Int](repeating: 0, count: sources.count)
        for line in lines { ends[Int(line.slot)] += 1 }
        var total = 0
        for slot in ends.indices {
            total += ends[slot]
            ends[slot] = total - ends[slot]
        }
        let grouped = [Line](unsafeUninitializedCapacity: lines.count) { buffer, count in
            for line in lines {
                buffer.initializeElement(at: ends[Int(line.slot)], to: line)
                ends[Int(line.slot)] += 1
            }
            count = lines.count
        }
        var tables: [ReadingTable] = []
        tables.reserveCapacity(sources.count)
        var start = 0
        for (slot, source) in sources.enumerated() {
            let rows = grouped[start..<ends[slot]]
            start = ends[slot]
            guard let source, let first = rows.first else { continue }
            if rows.allSatisfy({ $0.shape == first.shape }) {
                let columns = uniformColumns(rows, shapes)
                tables.append(ReadingTable(source: source, times: rows.map(\.time), columns: columns))
            } else {
                appendMixedTables(rows, of: source, shapes, to: &tables)
            }
        }
        return tables
    }

    private func uniformColumns(_ rows: ArraySlice<Line>, _ shapes: FieldShapes) -> [ReadingColumn] {
        guard let first = rows.first else { return [] }
        var columns: [ReadingColumn] = []
        let fields = shapes.fields(of: first.shape)
        columns.reserveCapacity(fields.count)
        for (index, field) in fields.enumerated() {
            let filled = column(of: field.kind, count: rows.count) { row in
                values[rows[rows.startIndex + row].firstValue + index]
            }
            columns.append(ReadingColumn(field: shapes.names[Int(field.name)].text, values: filled))
        }
        return columns
    }

    /// Tables of rows that do not all have the same fields, with one column for each pair of name and kind.
    ///
    /// A table is cut where its cells would be many more than its values, so that lines with ever new fields cannot grow
    /// memory; the tables of one source stay in the order of its rows.
    private func appendMixedTables(
        _ rows: ArraySlice<Line>, of source: SeriesSource, _ shapes: FieldShapes, to tables: inout [ReadingTable]
    ) {
        var open = MixedTable()
        var columnsOfShape: [Int32: [MixedTable.Key]] = [:]
        for line in rows {
            let keys: [MixedTable.Key]
            if let known = columnsOfShape[line.shape] {
                keys = known
            } else {
                keys = shapes.fields(of: line.shape).map { MixedTable.Key(name: $0.name, kind: $0.kind) }
                columnsOfShape[line.shape] = keys
            }
            open.append(keys, time: line.time, firstValue: line.firstValue)
            if open.isSparse {
                tables.append(table(open, of: source, shapes))
                open = MixedTable()
            }
        }
        if !open.times.isEmpty { tables.append(table(open, of: source, shapes)) }
    }

    private func table(_ mixed: MixedTable, of source: SeriesSource, _ shapes: FieldShapes) -> ReadingTable {
        let count = mixed.times.count
        let columns = zip(mixed.keys, mixed.cells).map { key, cells in
            var places = [Int](repeating: -1, count: count)
            for cell in cells { places[cell.row] = cell.value }
            let filled = column(of: key.kind, count: count) { places[$0] < 0 ? nil : values[places[$0]] }
            return ReadingColumn(
                field: shapes.names[Int(key.name)].text, values: filled,
                present: cells.count == count ? nil : places.map { $0 >= 0 })
        }
        return ReadingTable(source: source, times: mixed.times, columns: columns)
    }

    /// A column whose row `n` has the bits `bits(n)`, or a filler where that is `nil`.
    @inline(__always)
    private func column(
        of kind: ReadingValue.Kind, count: Int, bits: (Int) -> UInt64?
    ) -> ReadingColumn.Values {
        switch kind {
        case .float: .floats(filled(count) { bits($0).map(Double.init(bitPattern:)) ?? 0 })
        case .integer: .integers(filled(count) { bits($0).map { Int64(bitPattern: $0) } ?? 0 })
        case .boolean: .booleans(filled(count) { bits($0).map { $0 != 0 } ?? false })
        case .text: .texts((0..<count).map { bits($0).map { texts[Int($0)] } ?? "" })
        case .object: .objects((0..<count).map { bits($0).map { texts[Int($0)] } ?? "" })
        }
    }

    @inline(__always)
    private func filled<Element>(_ count: Int, _ element: (Int) -> Element) -> [Element] {
        [Element](unsafeUninitializedCapacity: count) { buffer, filled in
            for index in 0..<count { buffer.initializeElement(at: index, to: element(index)) }
            filled = count
        }
    }
}

/// The rows of one table while it is found out which columns they have.
private struct MixedTable {
    struct Key: Hashable {
        let name: Int32
        let kind: ReadingValue.Kind
    }

    struct Cell {
        let row: Int
        /// The place of the value in the log.
        let value: Int
    }

    private(set) var times: [Int64] = []
    private(set) var keys: [Key] = []
    private(set) var cells: [[Cell]] = []
    private var numbers: [Key: Int] = [:]
    private var valueCount = 0

    var isSparse: Bool { times.count * keys.count > 8 * valueCount + 1024 }

    mutating func append(_ rowKeys: [Key], time: Int64, firstValue: Int) {
        for (index, key) in rowKeys.enumerated() {
            let cell = Cell(row: times.count, value: firstValue + index)
            if let number = numbers[key] {
                cells[number].append(cell)
            } else {
                numbers[key] = keys.count
                keys.append(key)
                cells.append([cell])
            }
        }
        valueCount += rowKeys.count
        times.append(time)
    }
}
