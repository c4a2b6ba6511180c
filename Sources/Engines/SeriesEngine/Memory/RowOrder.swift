import Synchronization

/// The rows of a block in order of time, those of one time in the order in which they came.
///
/// Made when a question needs it, and kept as long as no row is added: readings that several senders send at once come
/// nearly in order, and hundreds of questions may ask for the same rows.
final class RowOrder: Sendable {
    let rows: [UInt32]

    init(_ block: OpenBlock) {
        var times = (0..<block.count).map { block.time($0) }
        var rows = (0..<UInt32(block.count)).map { $0 }
        if !Self.insertionSorted(&times, &rows) {
            rows.sort { (block.time(Int($0)), $0) < (block.time(Int($1)), $1) }
        }
        self.rows = rows
    }

    /// False, with the rows in some order, when there is more to move than a sort would.
    private static func insertionSorted(_ times: inout [Int64], _ rows: inout [UInt32]) -> Bool {
        times.withUnsafeMutableBufferPointer { times in
            rows.withUnsafeMutableBufferPointer { rows in
                var moves = 0
                let movesMax = times.count * 4
                for index in times.indices.dropFirst() where times[index] < times[index - 1] {
                    let (time, row) = (times[index], rows[index])
                    var place = index
                    while place > 0, times[place - 1] > time {
                        times[place] = times[place - 1]
                        rows[place] = rows[place - 1]
                        place -= 1
                    }
                    times[place] = time
                    rows[place] = row
                    moves += index - place
                    if moves > movesMax { return false }
                }
                return true
            }
        }
    }

    /// The orders of the rows of one storage.
    final class Kept: Sendable {
        private let kept = Mutex<RowOrder?>(nil)

        func order(of block: OpenBlock) -> RowOrder {
            if let order = kept.withLock({ $0 }), order.rows.count == block.count { return order }
            let order = RowOrder(block)
            kept.withLock { $0 = order }
            return order
        }
    }
}
