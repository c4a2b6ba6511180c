import VigilModel

extension OpenBlock {
    /// The numbers of one column in a range (without `end`) in order of time; of several with one time, the last.
    func numbers(ofColumn column: Int, from start: Int64, to end: Int64) -> NumberColumn {
        guard count > 0, lastTime >= start, firstTime < end else { return NumberColumn(times: [], values: []) }
        guard arePagesSorted else { return unsortedNumbers(ofColumn: column, from: start, to: end) }
        let turned = turnedRows
        let early = turnedPlace(start)..<turnedPlace(end)
        let isInside = overlap(of: pages.count, start, end)
        let late =
            isTailSorted
            ? place(start, in: turned..<count)..<place(end, in: turned..<count)
            : turned..<(isInside == nil ? turned : count)
        return self.column(ofAtMost: early.count + late.count) { times, values in
            let ordered = fill(times, values, at: 0, column, early)
            var filled = ordered + fill(times, values, at: ordered, column, late)
            if !isTailSorted, isInside == false {
                filled = NumberOrder.keep(times, values, ordered..<filled, from: start, to: end)
            }
            return isSorted ? filled : NumberOrder.settle(times, values, count: filled, ordered: ordered)
        }
    }

    /// Hands out the numbers of one column in some rows, in the order in which they lie or of time.
    func withNumbers<Result>(
        ofColumn column: Int, inRows rows: Range<Int>, isSorted: Bool = true,
        _ body: (UnsafeBufferPointer<Int64>, UnsafeBufferPointer<Double>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: rows.count) { times in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: rows.count) { values in
                var filled = fill(times, values, at: 0, column, rows)
                if !isSorted { filled = NumberOrder.settle(times, values, count: filled) }
                return body(
                    UnsafeBufferPointer(rebasing: times[..<filled]), UnsafeBufferPointer(rebasing: values[..<filled]))
            }
        }
    }

    /// Hands out the numbers of one column in a page, in order of time; of several with one time, the last.
    func withPage<Result>(
        _ page: Int, ofColumn column: Int,
        _ body: (UnsafeBufferPointer<Int64>, UnsafeBufferPointer<Double>) -> Result
    ) -> Result {
        if layout.columns[column].kind == .float, !layout.hasPresence {
            // They lie in the page as they are wanted.
            let words = pages[page].words
            let values = words + (2 + column) << Self.pageShift
            return words.withMemoryRebound(to: Int64.self, capacity: Self.pageRows) { times in
                values.withMemoryRebound(to: Double.self, capacity: Self.pageRows) { values in
                    body(
                        UnsafeBufferPointer(start: times, count: Self.pageRows),
                        UnsafeBufferPointer(start: values, count: Self.pageRows))
                }
            }
        }
        let first = page << Self.pageShift
        return withNumbers(ofColumn: column, inRows: first..<first + Self.pageRows, body)
    }

    /// The same of the rows behind the pages.
    func withTail<Result>(
        ofColumn column: Int, _ body: (UnsafeBufferPointer<Int64>, UnsafeBufferPointer<Double>) -> Result
    ) -> Result {
        withNumbers(ofColumn: column, inRows: turnedRows..<count, isSorted: isTailSorted, body)
    }

    private func unsortedNumbers(ofColumn column: Int, from start: Int64, to end: Int64) -> NumberColumn {
        self.column(ofAtMost: rowsAtMost(from: start, to: end)) { times, values in
            var filled = 0
            for page in 0...pages.count {
                guard let isInside = overlap(of: page, start, end) else { continue }
                let first = page << Self.pageShift
                let stop = page < pages.count ? first + Self.pageRows : count
                let added = fill(times, values, at: filled, column, first..<stop)
                filled =
                    isInside
                    ? filled + added : NumberOrder.keep(times, values, filled..<filled + added, from: start, to: end)
            }
            return NumberOrder.settle(times, values, count: filled)
        }
    }

    private func column(
        ofAtMost capacity: Int,
        _ fill: (UnsafeMutableBufferPointer<Int64>, UnsafeMutableBufferPointer<Double>) -> Int
    ) -> NumberColumn {
        var values: [Double] = []
        let times = [Int64](unsafeUninitializedCapacity: capacity) { times, timesCount in
            values = [Double](unsafeUninitializedCapacity: capacity) { values, valuesCount in
                timesCount = fill(times, values)
                valuesCount = timesCount
            }
        }
        return NumberColumn(times: times, values: values)
    }

    /// Whether one of the columns has a value in a range.
    func hasSample(ofColumns columns: [Int], from start: Int64, to end: Int64) -> Bool {
        if columns.isEmpty { return false }
        let first = isSorted ? place(start, in: 0..<count) : 0
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
        if last < start || first >= end || !isTurned && count == turnedRows { return nil }
        return first >= start && last < end
    }

    private func rowsAtMost(from start: Int64, to end: Int64) -> Int {
        var count = overlap(of: pages.count, start, end) == nil ? 0 : count - turnedRows
        for page in pages.indices where overlap(of: page, start, end) != nil { count += Self.pageRows }
        return count
    }

    /// The first row of pages in order that is not before `time`.
    private func turnedPlace(_ time: Int64) -> Int {
        var (low, high) = (0, pages.count)
        while low < high {
            let middle = (low + high) / 2
            if pages[middle].lastTime < time { low = middle + 1 } else { high = middle }
        }
        let first = low << Self.pageShift
        if low == pages.count || time <= pages[low].firstTime { return first }
        return place(time, in: first..<first + Self.pageRows)
    }

    /// The first of rows in order that is not before `time`.
    private func place(_ time: Int64, in rows: Range<Int>) -> Int {
        var (low, high) = (rows.lowerBound, rows.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if self.time(middle) < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Fills in rows; returns how many had a value.
    private func fill(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, at place: Int,
        _ column: Int, _ rows: Range<Int>
    ) -> Int {
        var filled = place
        var row = rows.lowerBound
        while row < rows.upperBound {
            if row >= turnedRows {
                filled += fill(
                    times, values, at: filled, column, tail.words + (row - turnedRows) * layout.stride,
                    step: layout.stride, wordStep: 1, count: rows.upperBound - row)
                break
            }
            let stop = min(rows.upperBound, (row >> Self.pageShift + 1) << Self.pageShift, turnedRows)
            let base = pages[row >> Self.pageShift].words + row & (Self.pageRows - 1)
            filled += fill(
                times, values, at: filled, column, base, step: 1, wordStep: Self.pageRows, count: stop - row)
            row = stop
        }
        return filled - place
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
