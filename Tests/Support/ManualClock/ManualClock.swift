import Synchronization
package import VigilModel
import VigilPorts

/// A clock that stands still until a test moves it.
package final class ManualClock: TimeSource {
    private struct Waiter {
        let deadline: Timestamp
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Timestamp
        var waiters: [Int: Waiter] = [:]
        var cancelled: Set<Int> = []
        var lastNumber = 0
    }

    private let state: Mutex<State>

    package init(at start: Timestamp = Timestamp(seconds: 1_700_000_000)) {
        state = Mutex(State(now: start))
    }

    package func now() -> Timestamp { state.withLock(\.now) }

    /// How many tasks wait for a later moment.
    package var waiterCount: Int { state.withLock { $0.waiters.count } }

    package func wait(until deadline: Timestamp) async throws {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.waiters[number] = Waiter(deadline: deadline, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: number)
                if waiter == nil { state.cancelled.insert(number) }
                return waiter
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        state.withLock { _ = $0.cancelled.remove(number) }
    }

    /// Moves the time, and wakes those whose moment has come, in the order of their moments.
    package func advance(_ span: Span) {
        let woken = state.withLock { state in
            let now = state.now + span
            state.now = now
            let due = state.waiters.filter { $0.value.deadline <= now }
            for number in due.keys { state.waiters[number] = nil }
            return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.value)
        }
        for waiter in woken { waiter.continuation.resume() }
    }
}
