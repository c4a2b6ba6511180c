import VigilModel
import VigilPorts

extension GroupFolder {
    /// Folds open rows of one block: where a page lies in one window, what is known of it says everything.
    func fold(_ block: OpenBlock, _ column: Int, into folder: inout WindowFolder) throws(StoreError) {
        var behind = start
        if query.quantiles.isEmpty, block.isTailBehind, let last = block.pages.last {
            try foldPages(of: block, column, into: &folder)
            if last.lastTime >= end { return }
            behind = max(start, last.lastTime &+ 1)
        }
        guard block.isTailSorted, behind > start || block.pages.isEmpty else {
            let numbers = block.numbers(ofColumn: column, from: behind, to: end)
            try budget.takeSamples(numbers.times.count)
            folder.add(numbers, from: start, to: end)
            return
        }
        try add(block.turnedRows..<block.count, of: block, column, to: &folder)
    }

    private func foldPages(
        of block: OpenBlock, _ column: Int, into folder: inout WindowFolder
    ) throws(StoreError) {
        var known: [WindowAggregate] = []
        for page in block.pages.indices where block.pages[page].lastTime >= start {
            let (first, last) = (block.pages[page].firstTime, block.pages[page].lastTime)
            if first >= end { return }
            if first >= start, last < end, folder.isInOne(first, last) {
                if known.isEmpty { known = block.statistics(ofColumn: column) }
                folder.add(known[page])
            } else {
                let row = page << OpenBlock.pageShift
                try add(row..<row + OpenBlock.pageRows, of: block, column, to: &folder)
            }
        }
    }

    private func add(
        _ rows: Range<Int>, of block: OpenBlock, _ column: Int, to folder: inout WindowFolder
    ) throws(StoreError) {
        var taken = 0
        block.withNumbers(ofColumn: column, inRows: rows) { times, values in
            taken = folder.add(times, values, from: start, to: end)
        }
        try budget.takeSamples(taken)
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
