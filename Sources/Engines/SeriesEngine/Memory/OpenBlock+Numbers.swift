import VigilModel

extension OpenBlock {
    /// The numbers of one column in a range (without `end`) in order of time; of several with one time, the last.
    func numbers(ofColumn column: Int, from start: Int64, to end: Int64) -> NumberColumn {
        guard count > 0, lastTime >= start, firstTime < end else { return NumberColumn(times: [], values: []) }
        let rows = isSorted ? nil : storage.order.order(of: self).rows
        return rows.withRows { rows in
            let first = place(start, rows)
            let stop = place(end, rows)
            var values: [Double] = []
            let times = [Int64](unsafeUninitializedCapacity: max(0, stop - first)) { times, timesCount in
                values = [Double](unsafeUninitializedCapacity: max(0, stop - first)) { values, valuesCount in
                    valuesCount = fill(times, values, column, first..<max(first, stop), rows)
                    timesCount = valuesCount
                }
            }
            return NumberColumn(times: times, values: values)
        }
    }

    /// Whether one of the columns has a value in a range.
    func hasSample(ofColumns columns: [Int], from start: Int64, to end: Int64) -> Bool {
        if columns.isEmpty { return false }
        let rows = isSorted ? nil : storage.order.order(of: self).rows
        return rows.withRows { rows in
            for place in place(start, rows)..<count {
                let row = row(rows.map { Int($0[place]) } ?? place)
                if Int64(bitPattern: row[0]) >= end { return false }
                if columns.contains(where: { isPresent(row, $0) }) { return true }
            }
            return false
        }
    }

    /// The first place in the order of time that is not before `time`.
    private func place(_ time: Int64, _ rows: UnsafeBufferPointer<UInt32>?) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self.time(rows.map { Int($0[middle]) } ?? middle) < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func fill(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, _ column: Int,
        _ places: Range<Int>, _ rows: UnsafeBufferPointer<UInt32>?
    ) -> Int {
        let stride = layout.stride
        let words = UnsafePointer(storage.words)
        let value = 2 + layout.presenceWords + column
        let presence = layout.hasPresence ? 2 + column / 64 : nil
        let bit = UInt64(1) << UInt64(column % 64)
        let kind = layout.columns[column].kind
        var filled = 0
        for place in places {
            let row = words + (rows.map { Int($0[place]) } ?? place) * stride
            if let presence, row[presence] & bit == 0 { continue }
            let time = Int64(bitPattern: row[0])
            // What comes later in the order came later.
            if filled > 0, times[filled - 1] == time { filled -= 1 }
            let bits = row[value]
            times[filled] = time
            switch kind {
            case .float: values[filled] = Double(bitPattern: bits)
            case .integer: values[filled] = Double(Int64(bitPattern: bits))
            case .boolean: values[filled] = bits == 0 ? 0 : 1
            case .text, .object: preconditionFailure("BUG: a text is asked for as a number")
            }
            filled += 1
        }
        return filled
    }
}

extension Optional where Wrapped == [UInt32] {
    fileprivate func withRows<Result>(_ body: (UnsafeBufferPointer<UInt32>?) -> Result) -> Result {
        switch self {
        case .some(let rows): rows.withUnsafeBufferPointer { body($0) }
        case .none: body(nil)
        }
    }
}
