extension OpenBlock {
    /// A block without the values of some columns in a range, and how many values that were.
    func removing(_ columns: Set<Int>, from start: Int64, to end: Int64) -> (OpenBlock, Int) {
        let keepsOthers = columns.count < layout.columns.count
        let rest = keepsOthers && !layout.hasPresence ? layout.addingPresence() : layout
        var result = OpenBlock(layout: rest, capacity: count)
        result.adoptTexts(of: self)
        var removed = 0
        let row = UnsafeMutablePointer<UInt64>.allocate(capacity: rest.stride)
        defer { row.deallocate() }
        for index in 0..<count {
            let isTouched = (start..<end).contains(time(index))
            copy(index, to: row, rest)
            if isTouched {
                for column in columns where isPresent(index, column) {
                    removed += 1
                    if keepsOthers || rest.hasPresence { row[2 + column / 64] &= ~(1 << UInt64(column % 64)) }
                }
                guard keepsOthers || rest.hasPresence, (0..<rest.presenceWords).contains(where: { row[2 + $0] != 0 })
                else { continue }
            }
            result.appendRow(row)
        }
        return (result, removed)
    }

    /// Copies a row into a layout that may have presence where this block's has none.
    private func copy(_ source: Int, to row: UnsafeMutablePointer<UInt64>, _ target: RowLayout) {
        guard target !== layout else { return copy(source, to: row) }
        for place in 0..<2 { row[place] = word(place, ofRow: source) }
        for word in 0..<target.presenceWords {
            let columns = min(64, layout.columns.count - word * 64)
            row[2 + word] = columns == 64 ? .max : 1 << UInt64(columns) - 1
        }
        for place in 2..<layout.stride { row[target.presenceWords + place] = word(place, ofRow: source) }
    }

    /// Whether some row has a value of the series.
    func hasSample(of entry: SeriesEntry) -> Bool {
        let columns = layout.columns.indices.filter { layout.columns[$0].series === entry }
        guard !columns.isEmpty else { return false }
        if !layout.hasPresence { return count > 0 }
        return (0..<count).contains { index in columns.contains { isPresent(index, $0) } }
    }
}
