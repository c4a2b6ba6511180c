import VigilModel
import VigilPorts

extension GroupFolder {
    /// Folds open rows of one block: where a page lies in one window, what is known of it says everything.
    func fold(
        _ block: borrowing OpenBlock, _ column: Int, into folder: inout WindowFolder
    ) throws(StoreError) {
        try fold(block, column, from: start, to: end, into: &folder)
    }

    /// Folds pieces that came one after the other and lie in one stretch of time: where only one of them holds anything, it
    /// answers alone; where several do, of one time the last that came counts.
    func fold(_ pieces: [NumberPiece], into folder: inout WindowFolder) throws(StoreError) {
        var borders: [Int64] = [start, end]
        for piece in pieces {
            for border in [piece.firstTime, piece.lastTime &+ 1] where border > start && border < end {
                borders.append(border)
            }
        }
        borders.sort()
        for (from, to) in zip(borders, borders.dropFirst()) where from < to {
            let held = pieces.filter { $0.firstTime < to && $0.lastTime >= from }
            if held.count == 1 {
                switch held[0] {
                case .numbers(let numbers):
                    try budget.takeSamples(folder.add(numbers, from: from, to: to))
                case .rows(let block, let column):
                    try fold(block, column, from: from, to: to, into: &folder)
                }
            } else if held.count > 1 {
                let numbers = NumberColumn(joining: held.map { $0.numbers(from: from, to: to) })
                try budget.takeSamples(folder.add(numbers, from: from, to: to))
            }
        }
    }

    private func fold(
        _ block: borrowing OpenBlock, _ column: Int, from start: Int64, to end: Int64, into folder: inout WindowFolder
    ) throws(StoreError) {
        var taken = 0
        if query.quantiles.isEmpty, block.isTailBehind {
            taken = Self.foldPages(of: block, column, from: start, to: end, into: &folder)
            if block.tailLastTime >= start, block.tailFirstTime < end, block.count > block.turnedRows {
                taken += block.withTail(ofColumn: column) { times, values in
                    folder.add(times, values, from: start, to: end)
                }
            }
        } else {
            taken = folder.add(block.numbers(ofColumn: column, from: start, to: end), from: start, to: end)
        }
        try budget.takeSamples(taken)
    }

    // Static, because a question goes through many pages, and each time would copy what a folder holds.

    /// Returns how many numbers were read.
    private static func foldPages(
        of block: borrowing OpenBlock, _ column: Int, from start: Int64, to end: Int64,
        into folder: inout WindowFolder
    ) -> Int {
        block.pages.withUnsafeBufferPointer { pages in
            // Pages are in order of time.
            var (low, high) = (0, pages.count)
            while low < high {
                let middle = (low + high) / 2
                if pages[middle].lastTime < start { low = middle + 1 } else { high = middle }
            }
            var known: [WindowAggregate] = []
            var taken = 0
            for page in low..<pages.count {
                let (first, last) = (pages[page].firstTime, pages[page].lastTime)
                if first >= end { break }
                if first >= start, last < end, folder.isInOne(first, last) {
                    if known.isEmpty { known = block.statistics(ofColumn: column) }
                    folder.add(known[page])
                } else {
                    taken += block.withPage(page, ofColumn: column) { times, values in
                        folder.add(times, values, from: start, to: end)
                    }
                }
            }
            return taken
        }
    }
}

/// Numbers of one series that lie together, each time once.
enum NumberPiece {
    /// Of a chunk; not empty.
    case numbers(NumberColumn)
    /// A column of open rows.
    case rows(OpenBlock, Int)

    var firstTime: Int64 {
        switch self {
        case .numbers(let numbers): numbers.times.first ?? .max
        case .rows(let block, _): block.firstTime
        }
    }

    var lastTime: Int64 {
        switch self {
        case .numbers(let numbers): numbers.times.last ?? .min
        case .rows(let block, _): block.lastTime
        }
    }

    /// Those of a range (without `end`) in order of time.
    func numbers(from start: Int64, to end: Int64) -> NumberColumn {
        switch self {
        case .numbers(let numbers): numbers.clipped(from: start, to: end)
        case .rows(let block, let column): block.numbers(ofColumn: column, from: start, to: end)
        }
    }
}

extension SeriesMemory.Snapshot {
    /// The place of the one block that holds all that there is of a range; `nil` where there is more, or nothing.
    func onlyBlock(from start: Int64, to end: Int64) -> Int? {
        guard rollups.isEmpty, !chunks.contains(where: { $0.lastTime >= start && $0.firstTime < end }) else {
            return nil
        }
        if blocks.count == 1 { return blocks[0].count > 0 ? 0 : nil }
        var only: Int?
        for place in blocks.indices
        where blocks[place].count > 0 && blocks[place].lastTime >= start && blocks[place].firstTime < end {
            if only != nil { return nil }
            only = place
        }
        return only
    }
}

extension RowLayout {
    /// The one column of a series, which has numbers; below 0 where it has none, `nil` where it has several or texts.
    func onlyColumn(of entry: SeriesEntry) -> Int? {
        var found = -1
        for place in columns.indices where columns[place].series === entry {
            if found >= 0 || columns[place].kind.rawValue >= ReadingValue.Kind.text.rawValue { return nil }
            found = place
        }
        return found
    }
}

/// Where open rows hold a series.
struct OpenColumn {
    private(set) var block = 0
    private(set) var column = 0
    /// Whether no other block and no other column holds it too.
    private(set) var isOnly = true

    /// `nil` where none of the blocks holds it.
    init?(of entry: SeriesEntry, in blocks: [OpenBlock]) {
        var found = 0
        for block in blocks.indices {
            for (number, column) in blocks[block].layout.columns.enumerated() where column.series === entry {
                found += 1
                (self.block, self.column) = (block, number)
            }
        }
        if found == 0 { return nil }
        isOnly = found == 1
    }

    func isNumeric(in blocks: [OpenBlock]) -> Bool {
        blocks[block].layout.columns[column].kind.rawValue < ReadingValue.Kind.text.rawValue
    }
}
