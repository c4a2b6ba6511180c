import VigilModel
import VigilPorts

extension GroupFolder {
    /// Folds open rows of one block: where a page lies in one window, what is known of it says everything.
    func fold(_ block: OpenBlock, _ column: Int, into folder: inout WindowFolder) throws(StoreError) {
        let (start, end) = (start, end)
        var behind = start
        var taken = 0
        if query.quantiles.isEmpty, block.isTailBehind, let last = block.pages.last {
            taken = Self.foldPages(of: block, column, from: start, to: end, into: &folder)
            try budget.takeSamples(taken)
            if last.lastTime >= end { return }
            behind = max(start, last.lastTime &+ 1)
        }
        if block.isTailSorted, behind > start || block.pages.isEmpty {
            let rows = block.turnedRows..<block.count
            taken = Self.fold(rows, of: block, column, from: start, to: end, into: &folder)
        } else {
            let numbers = block.numbers(ofColumn: column, from: behind, to: end)
            taken = numbers.times.count
            folder.add(numbers, from: start, to: end)
        }
        try budget.takeSamples(taken)
    }

    // Static, because a question goes through many pages, and each time would copy what a folder holds.

    /// Returns how many numbers were read.
    private static func foldPages(
        of block: OpenBlock, _ column: Int, from start: Int64, to end: Int64, into folder: inout WindowFolder
    ) -> Int {
        var known: [WindowAggregate] = []
        var taken = 0
        for page in block.pages.indices where block.pages[page].lastTime >= start {
            let (first, last) = (block.pages[page].firstTime, block.pages[page].lastTime)
            if first >= end { break }
            if first >= start, last < end, folder.isInOne(first, last) {
                if known.isEmpty { known = block.statistics(ofColumn: column) }
                folder.add(known[page])
            } else {
                let row = page << OpenBlock.pageShift
                taken += fold(
                    row..<row + OpenBlock.pageRows, of: block, column, from: start, to: end, into: &folder)
            }
        }
        return taken
    }

    /// Returns how many numbers were in the range.
    private static func fold(
        _ rows: Range<Int>, of block: OpenBlock, _ column: Int, from start: Int64, to end: Int64,
        into folder: inout WindowFolder
    ) -> Int {
        var taken = 0
        block.withNumbers(ofColumn: column, inRows: rows) { times, values in
            taken = folder.add(times, values, from: start, to: end)
        }
        return taken
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
