import VigilModel

extension OpenBlock {
    /// The numbers of one column in a range (without `end`) in order of time; of several with one time, the last.
    func numbers(ofColumn column: Int, from start: Int64, to end: Int64) -> NumberColumn {
        guard count > 0, lastTime >= start, firstTime < end else { return NumberColumn(times: [], values: []) }
        let isSorted = isSorted
        let rows = isSorted ? place(start)..<max(place(start), place(end)) : 0..<count
        let capacity = isSorted ? rows.count : rowsAtMost(from: start, to: end)
        var values: [Double] = []
        let times = [Int64](unsafeUninitializedCapacity: capacity) { times, timesCount in
            values = [Double](unsafeUninitializedCapacity: capacity) { values, valuesCount in
                var filled = 0
                var row = rows.lowerBound
                while row < rows.upperBound {
                    let page = row >> Self.pageShift
                    let stop = page < pages.count ? min(rows.upperBound, (page + 1) << Self.pageShift) : rows.upperBound
                    if isSorted {
                        filled += fill(times, values, at: filled, column, row..<stop)
                    } else if let isInside = overlap(of: page, start, end) {
                        let added = fill(times, values, at: filled, column, row..<stop)
                        filled =
                            isInside
                            ? filled + added
                            : NumberOrder.keep(times, values, filled..<filled + added, from: start, to: end)
                    }
                    row = stop
                }
                if !isSorted { filled = NumberOrder.settle(times, values, count: filled) }
                (valuesCount, timesCount) = (filled, filled)
            }
        }
        return NumberColumn(times: times, values: values)
    }

    /// Whether one of the columns has a value in a range.
    func hasSample(ofColumns columns: [Int], from start: Int64, to end: Int64) -> Bool {
        if columns.isEmpty { return false }
        let first = isSorted ? place(start) : 0
        return (first..<count).contains { row in
            let time = time(row)
            return time >= start && time < end && columns.contains { isPresent(row, $0) }
        }
    }

    /// Whether a page, or what is behind the pages, is all in a range; `nil` where nothing of it is.
    private func overlap(of page: Int, _ start: Int64, _ end: Int64) -> Bool? {
        let isTurned = page < pages.count
        let first = isTurned ? pages[page].firstTime : tailFirstTime
        let last = isTurned ? pages[page].lastTime : tailLastTime
        return last < start || first >= end ? nil : first >= start && last < end
    }

    private func rowsAtMost(from start: Int64, to end: Int64) -> Int {
        var count = overlap(of: pages.count, start, end) == nil ? 0 : count - turnedRows
        for page in pages.indices where overlap(of: page, start, end) != nil { count += Self.pageRows }
        return count
    }

    /// The first row of a block in order that is not before `time`.
    private func place(_ time: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self.time(middle) < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Fills in rows that lie in one piece.
    private func fill(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, at place: Int,
        _ column: Int, _ rows: Range<Int>
    ) -> Int {
        let first = rows.lowerBound
        if first < turnedRows {
            let base = pages[first >> Self.pageShift].words + first & (Self.pageRows - 1)
            return fill(
                times, values, at: place, column, base, step: 1, wordStep: Self.pageRows, count: rows.count)
        }
        return fill(
            times, values, at: place, column, tail.words + (first - turnedRows) * layout.stride, step: layout.stride,
            wordStep: 1, count: rows.count)
    }

    /// - Parameters:
    ///   - start: The time of the first row.
    ///   - step: From a row's word to the same word of the next row.
    ///   - wordStep: From a row's word to its next word.
    @inline(__always)
    private func fill(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, at place: Int,
        _ column: Int, _ start: UnsafeMutablePointer<UInt64>, step: Int, wordStep: Int, count: Int
    ) -> Int {
        let source = start + (2 + layout.presenceWords + column) * wordStep
        let kind = layout.columns[column].kind
        guard layout.hasPresence else {
            for row in 0..<count { times[place + row] = Int64(bitPattern: start[row * step]) }
            switch kind {
            case .float:
                for row in 0..<count { values[place + row] = Double(bitPattern: source[row * step]) }
            case .integer:
                for row in 0..<count { values[place + row] = Double(Int64(bitPattern: source[row * step])) }
            case .boolean:
                for row in 0..<count { values[place + row] = source[row * step] == 0 ? 0 : 1 }
            case .text, .object: preconditionFailure("BUG: a text is asked for as a number")
            }
            return count
        }
        let presence = start + (2 + column / 64) * wordStep
        let bit = UInt64(1) << UInt64(column % 64)
        var filled = place
        for row in 0..<count where presence[row * step] & bit != 0 {
            times[filled] = Int64(bitPattern: start[row * step])
            values[filled] = Self.number(source[row * step], kind)
            filled += 1
        }
        return filled - place
    }

    @inline(__always)
    private static func number(_ bits: UInt64, _ kind: ReadingValue.Kind) -> Double {
        switch kind {
        case .float: Double(bitPattern: bits)
        case .integer: Double(Int64(bitPattern: bits))
        case .boolean: bits == 0 ? 0 : 1
        case .text, .object: preconditionFailure("BUG: a text is asked for as a number")
        }
    }
}
