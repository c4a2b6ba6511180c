import CSQLiteVFS
import GRDBSQLite
import Synchronization

/// The seam where tests make the disk of SQLite's files fail.
package enum SQLiteFaults {
    package enum Operation: Int32, Sendable, CaseIterable {
        case open = 1
        case read = 2
        case write = 3
        case sync = 4
        case truncate = 5
        case delete = 6
    }

    /// What the disk does.
    package enum Outcome: Sendable, Hashable {
        case proceed
        /// Success is reported and nothing was done: a lost write, a lost sync.
        case pretend
        /// Only the first bytes are written, then the disk fails.
        case tear(after: Int)
        case full
        case readOnly
        case inputOutput
    }

    /// What is about to happen.
    package struct Event: Sendable, Hashable {
        package let operation: Operation
        package let path: String
        package let offset: Int64
        /// How many bytes; for `open`, 1 when the file may be written.
        package let amount: Int
    }

    package typealias Plan = @Sendable (Event) -> Outcome

    private static let plans = Mutex<[String: Plan]>([:])

    /// Asks `plan` before every operation on files whose path begins with `prefix`; `nil` ends that.
    ///
    /// Tests in one process use a folder each, so that they do not disturb one another.
    package static func set(below prefix: String, _ plan: Plan?) {
        let isEmpty = plans.withLock { plans in
            plans[prefix] = plan
            return plans.isEmpty
        }
        let function: vigil_fault_function? =
            isEmpty
            ? nil
            : { _, operation, path, offset, amount in
                guard let path, let operation = Operation(rawValue: operation) else { return 0 }
                let event = Event(
                    operation: operation, path: String(cString: path), offset: offset, amount: Int(amount))
                return SQLiteFaults.outcome(of: event)
            }
        vigil_vfs_set_fault(function, nil)
    }

    private static func outcome(of event: Event) -> Int32 {
        let plan = plans.withLock { plans in plans.first { event.path.hasPrefix($0.key) }?.value }
        switch plan?(event) ?? .proceed {
        case .proceed: return Int32(VIGIL_PROCEED)
        case .pretend: return Int32(VIGIL_PRETEND)
        case .tear(let count): return Int32(VIGIL_TEAR) | Int32(count)
        case .full: return SQLITE_FULL
        case .readOnly: return event.operation == .open ? SQLITE_CANTOPEN : SQLITE_READONLY
        case .inputOutput: return failure(event.operation)
        }
    }

    private static func failure(_ operation: Operation) -> Int32 {
        switch operation {
        case .open: SQLITE_CANTOPEN
        case .read: SQLITE_IOERR | 1 << 8
        case .write: SQLITE_IOERR | 3 << 8
        case .sync: SQLITE_IOERR | 4 << 8
        case .truncate: SQLITE_IOERR | 6 << 8
        case .delete: SQLITE_IOERR | 10 << 8
        }
    }
}
