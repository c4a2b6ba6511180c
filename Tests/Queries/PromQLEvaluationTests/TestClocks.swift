import Synchronization
import VigilModel
import VigilPorts

/// A clock that stands still until a test moves it.
final class StillClock: TimeSource {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp = Timestamp(seconds: 0)) { self.time = Mutex(time) }

    func now() -> Timestamp { time.withLock { $0 } }

    func move(by span: Span) { time.withLock { $0 = $0 + span } }

    func wait(until deadline: Timestamp) async throws {
        while now() < deadline {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// A clock that runs an hour at every look.
final class MovingClock: TimeSource {
    private let looks = Mutex(Int64(0))

    func now() -> Timestamp {
        looks.withLock { looks in
            looks += 1
            return Timestamp(seconds: looks * 3600)
        }
    }

    func wait(until deadline: Timestamp) async throws {}
}
