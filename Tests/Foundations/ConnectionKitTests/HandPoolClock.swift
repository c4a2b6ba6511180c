import ConnectionKit
import Synchronization

/// A pool's clock that is moved by hand.
final class HandPoolClock: PoolClock {
    private struct Sleeper {
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Void, Never>
    }

    private let state = Mutex((now: ContinuousClock.now, sleepers: [Sleeper]()))

    func now() -> ContinuousClock.Instant { state.withLock { $0.now } }

    func wait(until deadline: ContinuousClock.Instant) async throws {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if deadline <= state.now { return true }
                state.sleepers.append(Sleeper(deadline: deadline, continuation: continuation))
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    func move(_ time: Duration) {
        let due = state.withLock { state in
            state.now += time
            let due = state.sleepers.filter { $0.deadline <= state.now }
            state.sleepers.removeAll { $0.deadline <= state.now }
            return due
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// How many wait for the time to pass.
    var sleepers: Int { state.withLock { $0.sleepers.count } }
}

/// A connection to nothing, which remembers what was done to it.
final class TestConnection: PooledConnection {
    let number: Int
    private let state = Mutex((usable: true, closed: 0))

    init(_ number: Int) { self.number = number }

    var isUsable: Bool { state.withLock { $0.usable } }
    var timesClosed: Int { state.withLock { $0.closed } }
    func spoil() { state.withLock { $0.usable = false } }
    func close() async { state.withLock { $0.closed += 1 } }
}

/// Opens connections, or refuses to.
final class TestServer: Sendable {
    struct Refusal: Error {}
    private let state = Mutex((opened: [TestConnection](), refuses: false))

    var opened: [TestConnection] { state.withLock { $0.opened } }
    func setRefusing(_ refuses: Bool) { state.withLock { $0.refuses = refuses } }

    func connect() throws -> TestConnection {
        try state.withLock { state in
            if state.refuses { throw Refusal() }
            let connection = TestConnection(state.opened.count)
            state.opened.append(connection)
            return connection
        }
    }
}

/// A value that tasks of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    var now: Value { value.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { value.withLock { body(&$0) } }
}
