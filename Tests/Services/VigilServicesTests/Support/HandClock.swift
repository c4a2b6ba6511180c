import Synchronization
import VigilModel
import VigilPorts

/// A clock that is moved by hand, forwards or back.
final class HandClock: TimeSource {
    private struct Waiter {
        let deadline: Timestamp
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var time: Timestamp
        var waiters: [Int: Waiter] = [:]
        var abandoned: Set<Int> = []
        var lastNumber = 0
    }

    private let state: Mutex<State>

    init(_ time: Timestamp) { state = Mutex(State(time: time)) }

    func now() -> Timestamp { state.withLock(\.time) }
    func move(_ span: Span) { change { $0 + span } }
    func set(_ moment: Timestamp) { change { _ in moment } }

    private func change(_ time: (Timestamp) -> Timestamp) {
        let due = state.withLock { state in
            state.time = time(state.time)
            let due = state.waiters.filter { $0.value.deadline <= state.time }
            for number in due.keys { state.waiters[number] = nil }
            return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
        }
        for (_, waiter) in due { waiter.continuation.resume() }
    }

    /// Waits without turning: who waits must not take the processor from those that do something.
    func wait(until deadline: Timestamp) async throws {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        defer { state.withLock { _ = $0.abandoned.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.abandoned.contains(number) { return .failure(CancellationError()) }
                    if deadline <= state.time { return .success(()) }
                    state.waiters[number] = Waiter(deadline: deadline, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.abandoned.insert(number)
                return state.waiters.removeValue(forKey: number)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
