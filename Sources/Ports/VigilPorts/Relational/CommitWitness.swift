import Synchronization

/// Notes, inside each write transaction of a task, that it was committed.
///
/// When the answer to a commit is lost, the note is there or is not: that tells what became of the transaction, also on
/// a server that has taken over meanwhile.
///
/// ```swift
/// let witness = CommitWitness { number, transaction in … }
/// try await CommitWitness.$current.withValue(witness) { try await handler(request) }
/// ```
package final class CommitWitness: Sendable {
    /// Who watches the writes of this task; stores ask for it.
    @TaskLocal package static var current: CommitWitness?

    private let count = Mutex(0)
    private let note: @Sendable (_ number: Int, _ transaction: any SQLTransaction) throws -> Void

    /// - Parameter note: Writes down that write `number`, from 1, is part of what is committed.
    package init(_ note: @escaping @Sendable (_ number: Int, _ transaction: any SQLTransaction) throws -> Void) {
        self.note = note
    }

    /// How many writes were begun: the number of the last one.
    package var lastNumber: Int { count.withLock { $0 } }

    /// `body` with the note of the task's witness at its end, or as it is when nobody watches.
    package static func watching<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) -> @Sendable (any SQLTransaction) throws -> Result {
        guard let witness = current else { return body }
        let number = witness.count.withLock { count in
            count += 1
            return count
        }
        return { transaction in
            let result = try body(transaction)
            try witness.note(number, transaction)
            return result
        }
    }
}
