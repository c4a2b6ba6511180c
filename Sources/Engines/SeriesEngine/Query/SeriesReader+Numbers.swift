import VigilModel
import VigilPorts

extension SeriesReader {
    /// The numbers of a range (without `end`) in order of time, or `nil` where a text may have taken a number's place:
    /// then the samples say what is left.
    ///
    /// - Throws: `contention` when a chunk was made anew meanwhile: take a new snapshot then.
    func numbers(from start: Int64, to end: Int64) throws(StoreError) -> NumberColumn? {
        try pieces(from: start, to: end).map { pieces in
            NumberColumn(joining: pieces.map { $0.numbers(from: start, to: end) }.filter { !$0.times.isEmpty })
        }
    }

    /// The pieces in which these numbers lie, in the order in which they came; of chunks with what is outside of the range.
    ///
    /// - Throws: As ``numbers(from:to:)``.
    func pieces(from start: Int64, to end: Int64) throws(StoreError) -> [NumberPiece]? {
        var pieces: [NumberPiece] = []
        for chunk in chunks {
            guard let column = chunk.column(entry.number), column.lastTime >= start, column.firstTime < end else {
                continue
            }
            // Only where each sample is a number it is known that no text lies among them.
            guard column.statistics.count == column.count else { return nil }
            let content = try source.content(chunk)
            do {
                guard let numbers = try content.numbers(entry.number), !numbers.times.isEmpty else { continue }
                pieces.append(.numbers(numbers))
            } catch {
                throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
            }
        }
        for block in blocks where block.count > 0 && block.lastTime >= start && block.firstTime < end {
            guard let column = block.layout.onlyColumn(of: entry) else { return nil }
            if column >= 0 { pieces.append(.rows(block, column)) }
        }
        return pieces
    }
}

extension NumberColumn {
    /// Parts that came one after the other, each in order of time; of several numbers with one time, the last that came.
    init(joining parts: [NumberColumn]) {
        self.init(times: [], values: [])
        for part in parts { self = times.isEmpty ? part : joined(part) }
    }

    private func joined(_ later: NumberColumn) -> NumberColumn {
        guard let last = times.last, let first = later.times.first else { return times.isEmpty ? later : self }
        var result = self
        if first > last {
            result.times += later.times
            result.values += later.values
            return result
        }
        result = NumberColumn(times: [], values: [])
        result.times.reserveCapacity(times.count + later.times.count)
        result.values.reserveCapacity(times.count + later.times.count)
        var (here, there) = (0, 0)
        while here < times.count || there < later.times.count {
            let isHere = here < times.count && (there == later.times.count || times[here] < later.times[there])
            if isHere {
                result.times.append(times[here])
                result.values.append(values[here])
                here += 1
            } else {
                if here < times.count, times[here] == later.times[there] { here += 1 }
                result.times.append(later.times[there])
                result.values.append(later.values[there])
                there += 1
            }
        }
        return result
    }

    /// What lies in a range (without `end`).
    func clipped(from start: Int64, to end: Int64) -> NumberColumn {
        guard let first = times.first, let last = times.last, first < start || last >= end else { return self }
        let low = times.partitioningIndex { $0 >= start }
        let high = max(low, times.partitioningIndex { $0 >= end })
        return NumberColumn(times: Array(times[low..<high]), values: Array(values[low..<high]))
    }
}

extension [Int64] {
    /// The first place whose number is wanted; behind it all are.
    fileprivate func partitioningIndex(_ isWanted: (Int64) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isWanted(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
