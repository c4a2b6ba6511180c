extension ReadingRows {
    /// The same readings as tables, source after source in the order in which the sources first came.
    package var tables: [ReadingTable] {
        let grouping = grouped()
        var tables: [ReadingTable] = []
        tables.reserveCapacity(groupCount)
        var start = 0
        for end in grouping.ends {
            tables += self.tables(ofOneSource: grouping.order[start..<Int(end)])
            start = Int(end)
        }
        return tables
    }

    /// Rows of one source, given by their numbers, as tables.
    ///
    /// Fields that some rows lack mark those rows as absent. A table is cut where its cells would be many more than its
    /// values, so that rows with ever new fields cannot grow memory; the tables stay in the order of the rows.
    package func tables(ofOneSource numbers: ArraySlice<Int32>) -> [ReadingTable] {
        guard let first = numbers.first else { return [] }
        let source = parts[Int(rows[Int(first)].part)].source
        var tables: [ReadingTable] = []
        var open = MixedTable()
        var keysOfPart: [Int32: [MixedTable.Key]] = [:]
        for number in numbers {
            let row = rows[Int(number)]
            let keys: [MixedTable.Key]
            if let known = keysOfPart[row.part] {
                keys = known
            } else {
                let shape = parts[Int(row.part)].shape
                keys = zip(shape.fields, shape.kinds).map { MixedTable.Key(field: $0, kind: $1) }
                keysOfPart[row.part] = keys
            }
            open.append(keys, time: row.time, firstWord: Int(row.firstWord))
            if open.isSparse {
                tables.append(table(open, of: source))
                open = MixedTable()
            }
        }
        if !open.times.isEmpty { tables.append(table(open, of: source)) }
        return tables
    }

    private func table(_ mixed: MixedTable, of source: SeriesSource) -> ReadingTable {
        let count = mixed.times.count
        let columns = zip(mixed.keys, mixed.cells).map { key, cells in
            var places = [Int](repeating: -1, count: count)
            for cell in cells { places[cell.row] = cell.word }
            let marks = qualities.map { all in places.map { $0 < 0 ? Quality.good.rawValue : all[$0] } }
            return ReadingColumn(
                field: key.field, values: column(of: key.kind, places),
                present: cells.count == count ? nil : places.map { $0 >= 0 },
                quality: marks?.contains { $0 != Quality.good.rawValue } == true ? marks : nil)
        }
        return ReadingTable(source: source, times: mixed.times, columns: columns)
    }

    /// The values at some places; where a place is -1, a filler.
    private func column(of kind: ReadingValue.Kind, _ places: [Int]) -> ReadingColumn.Values {
        switch kind {
        case .float: .floats(places.map { $0 < 0 ? 0 : Double(bitPattern: words[$0]) })
        case .integer: .integers(places.map { $0 < 0 ? 0 : Int64(bitPattern: words[$0]) })
        case .boolean: .booleans(places.map { $0 < 0 ? false : words[$0] != 0 })
        case .text: .texts(places.map { $0 < 0 ? "" : texts[Int(words[$0])] })
        case .object: .objects(places.map { $0 < 0 ? "" : texts[Int(words[$0])] })
        }
    }
}

/// The rows of one table while it is found out which columns they have.
private struct MixedTable {
    struct Key: Hashable {
        let field: String
        let kind: ReadingValue.Kind
    }

    struct Cell {
        let row: Int
        let word: Int
    }

    private(set) var times: [Int64] = []
    private(set) var keys: [Key] = []
    private(set) var cells: [[Cell]] = []
    private var numbers: [Key: Int] = [:]
    private var valueCount = 0

    var isSparse: Bool { times.count * keys.count > 8 * valueCount + 1024 }

    mutating func append(_ rowKeys: [Key], time: Int64, firstWord: Int) {
        for (index, key) in rowKeys.enumerated() {
            let cell = Cell(row: times.count, word: firstWord + index)
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
