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

    /// What is known of the numbers of a column in each page, from the first question about them on.
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

/// What is known of the columns of pages, which never change and only become more.
final class PageStatistics: Sendable {
    /// By column, then by page; the later pages of a column may be missing.
    private let columns: Mutex<[[WindowAggregate]]> = Mutex([])
    private let count: Int

    init(columns count: Int) {
        self.count = count
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
