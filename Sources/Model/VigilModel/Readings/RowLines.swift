/// On which line of what was sent each row stands, counted from 1.
///
/// Rows mostly stand on lines that follow each other, so only the places are kept where that ends: a row costs nothing.
package struct RowLines: Sendable {
    private struct Run {
        let row: Int
        let line: Int
    }

    private var runs: [Run] = []
    /// What is added to a row's number while lines follow each other.
    private var shift = Int.min

    package init() {}

    /// Says on which line row number `row` stands; rows come in order.
    @inline(__always)
    package mutating func note(_ line: Int, of row: Int) {
        if line &- row != shift { begin(line, row) }
    }

    @inline(never)
    private mutating func begin(_ line: Int, _ row: Int) {
        runs.append(Run(row: row, line: line))
        shift = line - row
    }

    /// The line of a row; 0 for one of which nobody said it.
    package func line(of row: Int) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].row <= row { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : runs[low - 1].line + row - runs[low - 1].row
    }

    /// The lines of those of `count` rows that are kept, which are numbered anew.
    package func keeping(of count: Int, where isKept: (Int) -> Bool) -> RowLines {
        guard !runs.isEmpty else { return self }
        var kept = RowLines()
        var number = 0
        for row in 0..<count where isKept(row) {
            kept.note(line(of: row), of: number)
            number += 1
        }
        return kept
    }
}
