import Dispatch
import SQLiteKit
import Synchronization
import VigilPorts

/// One connection with the thread-like queue on which everything of it runs, one after the other.
///
/// SQLite's calls block, so they run on a queue of their own and never on the threads that all tasks share.
final class SQLiteLane: Sendable {
    private let connection: SQLiteConnection
    private let queue: DispatchQueue
    private let waiting = Mutex<(count: Int, isClosed: Bool)>((0, false))

    /// How many calls may wait for one connection; more are refused rather than kept in memory.
    private static let waitingLimit = 10_000

    init(path: String, access: SQLiteOptions.Access, name: String) throws(SQLiteFailure) {
        connection = try SQLiteConnection(path, SQLiteOptions(access: access))
        queue = DispatchQueue(label: name)
        do {
            try connection.run { session in try session.execute("PRAGMA foreign_keys = ON") }
        } catch let failure as SQLiteFailure {
            throw failure
        } catch {
            preconditionFailure("BUG: a connection threw what is not its failure")
        }
    }

    /// Runs `body` on the connection's queue; a statement that still runs after `limit` is ended with `interrupted`.
    ///
    /// - Throws: `unavailable` when the connection is closed, `contention` when too many wait; what `body` throws.
    func perform<Result: Sendable>(
        for limit: Duration, _ body: @escaping @Sendable (SQLiteSession) throws -> Result
    ) async throws -> Result {
        try waiting.withLock { state throws(StoreError) in
            guard !state.isClosed else { throw StoreError(.unavailable, "The database is closed") }
            guard state.count < Self.waitingLimit else {
                throw StoreError(.contention, "Too many transactions wait for the database")
            }
            state.count += 1
        }
        defer { waiting.withLock { $0.count -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { [connection] in
                let result = Swift.Result {
                    try connection.run { session in
                        let end = ContinuousClock.now + limit
                        session.interrupt { ContinuousClock.now > end }
                        defer { session.interrupt(when: nil) }
                        return try body(session)
                    }
                }
                // The lane may have been closed between the look at it and our turn.
                continuation.resume(with: result.mapError(StoreError.mapped))
            }
        }
    }

    func close() async {
        waiting.withLock { $0.isClosed = true }
        await withCheckedContinuation { continuation in
            queue.async { [connection] in
                // A connection that cannot be closed is left to the end of the process.
                try? connection.close()
                continuation.resume()
            }
        }
    }
}

/// Connections that are lent to one reader at a time, in the order of asking.
final class LanePool: Sendable {
    private struct State {
        var idle: [SQLiteLane]
        var waiters: [CheckedContinuation<SQLiteLane, any Error>] = []
        var isClosed = false
    }

    private let all: [SQLiteLane]
    private let state: Mutex<State>
    private static let waitingLimit = 10_000

    init(_ lanes: [SQLiteLane]) {
        all = lanes
        state = Mutex(State(idle: lanes))
    }

    func take() async throws -> SQLiteLane {
        try await withCheckedThrowingContinuation { continuation in
            let answer: Swift.Result<SQLiteLane, any Error>? = state.withLock { state in
                if state.isClosed { return .failure(StoreError(.unavailable, "The database is closed")) }
                if let lane = state.idle.popLast() { return .success(lane) }
                if state.waiters.count >= Self.waitingLimit {
                    return .failure(StoreError(.contention, "Too many reads wait for the database"))
                }
                state.waiters.append(continuation)
                return nil
            }
            if let answer { continuation.resume(with: answer) }
        }
    }

    func give(_ lane: SQLiteLane) {
        let next = state.withLock { state -> CheckedContinuation<SQLiteLane, any Error>? in
            if state.waiters.isEmpty {
                state.idle.append(lane)
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume(returning: lane)
    }

    /// Lends no more, and says which connections there are.
    func close() -> [SQLiteLane] {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(throwing: StoreError(.unavailable, "The database is closed")) }
        return all
    }
}
