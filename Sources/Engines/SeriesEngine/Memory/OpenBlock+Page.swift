import Synchronization
import VigilModel
import VigilPorts

extension OpenBlock {
    /// Rows in order of time; word `w` of row `r` lies at `w · pageRows + r`.
    struct Page {
        let storage: RowStorage
        // Beside the pages' addresses: a question goes over the times of many pages, and each of them lies far away.
        let firstTime: Int64
        let lastTime: Int64

        init(_ storage: RowStorage) {
            self.storage = storage
            firstTime = Int64(bitPattern: storage.words[0])
            lastTime = Int64(bitPattern: storage.words[OpenBlock.pageRows - 1])
        }

        var words: UnsafeMutablePointer<UInt64> { storage.words }
        /// Whether no two rows have one time.
        var isStrict: Bool { (1..<OpenBlock.pageRows).allSatisfy { words[$0] != words[$0 - 1] } }
    }

    /// Pages that are written anew for rows which come late.
    static let mergedPagesMax = 64

    /// The pages from a first one on with the rows of another among them; `nil` where it comes too late, or two rows have
    /// one time.
    ///
    /// A sender that was held up brings rows far behind those of others. Pages are not changed, because copies of the
    /// block may read them: others take their place.
    func merged(_ page: Page) -> (first: Int, pages: [Page])? {
        let first = pages.lastIndex { $0.lastTime < page.firstTime }.map { $0 + 1 } ?? 0
        guard pages.count - first <= Self.mergedPagesMax else { return nil }
        let old = pages[first...]
        // Where each row begins, in order of time.
        var rows: [UnsafeMutablePointer<UInt64>] = []
        rows.reserveCapacity((old.count + 1) * Self.pageRows)
        var late = 0
        for page in old {
            for row in 0..<Self.pageRows {
                let start = page.words + row
                while late < Self.pageRows, Self.time(lateRow(late)) < Self.time(start) { take() }
                rows.append(start)
            }
        }
        while late < Self.pageRows { take() }
        guard (1..<rows.count).allSatisfy({ Self.time(rows[$0]) > Self.time(rows[$0 - 1]) }) else { return nil }
        return (first, (0...old.count).map { made($0, of: rows) })

        func lateRow(_ row: Int) -> UnsafeMutablePointer<UInt64> { page.words + row }
        func take() {
            rows.append(lateRow(late))
            late += 1
        }
    }

    private static func time(_ row: UnsafeMutablePointer<UInt64>) -> Int64 { Int64(bitPattern: row[0]) }

    /// A page of the rows that begin at these places of pages.
    private func made(_ number: Int, of rows: [UnsafeMutablePointer<UInt64>]) -> Page {
        let storage = RowStorage(words: Self.pageRows * layout.stride)
        for word in 0..<layout.stride {
            let target = storage.words + word << Self.pageShift
            for row in 0..<Self.pageRows {
                target[row] = rows[number << Self.pageShift + row][word << Self.pageShift]
            }
        }
        return Page(storage)
    }

    /// What is known of the numbers of a column in each page, from the first question about them on; of a copy, perhaps also
    /// of pages that came since.
    func statistics(ofColumn column: Int) -> [WindowAggregate] {
        statistics.known(ofColumn: column, pages: pages.count) { page in
            let start = page << Self.pageShift
            var found = WindowAggregate()
            withNumbers(ofColumn: column, inRows: start..<start + Self.pageRows) { times, values in
                found.add(times, values, .everything)
            }
            return found
        }
    }
}

/// What is known of the columns of pages, which only become more; where others take their place, so does another object.
final class PageStatistics: Sendable {
    /// By column, then by page; the later pages of a column may be missing.
    private let columns: Mutex<[[WindowAggregate]]> = Mutex([])
    private let count: Int

    init(columns count: Int) {
        self.count = count
    }

    /// The same of the first pages alone.
    func ofFirst(_ pages: Int) -> PageStatistics {
        let rest = PageStatistics(columns: count)
        let known = columns.withLock { $0.map { Array($0.prefix(pages)) } }
        rest.columns.withLock { $0 = known }
        return rest
    }

    /// What is known of the first pages; what nobody has asked for yet is found by `find`.
    func known(ofColumn column: Int, pages: Int, _ find: (Int) -> WindowAggregate) -> [WindowAggregate] {
        let known = columns.withLock { $0.isEmpty ? [] : $0[column] }
        if known.count >= pages { return known }
        let found = known + (known.count..<pages).map(find)
        columns.withLock { columns in
            if columns.isEmpty { columns = Array(repeating: [], count: count) }
            if columns[column].count < found.count { columns[column] = found }
        }
        return found
    }
}
