import CLibPQ
import Foundation

extension Wire {
    /// The next result, `nil` at the end of a request.
    ///
    /// Waits for it, at most until the deadline.
    func next() throws(PostgresFailure) -> OpaquePointer? {
        if let failure, failure.kind != .server { throw failure }
        var unsent = PQflush(raw)
        while PQisBusy(raw) != 0 {
            guard unsent >= 0 else { throw broken(.lost) }
            try wait(forWriting: unsent == 1)
            guard PQconsumeInput(raw) == 1 else { throw broken(.lost) }
            unsent = PQflush(raw)
        }
        guard PQstatus(raw) == CONNECTION_OK else {
            // A result that explains the end may still be there.
            if let last = PQgetResult(raw) { return last }
            throw broken(.lost)
        }
        return PQgetResult(raw)
    }

    /// Sends what is queued, reading what comes meanwhile: a server that waits for us to read would not read on.
    func push() throws(PostgresFailure) {
        while true {
            let unsent = PQflush(raw)
            guard unsent >= 0 else { throw broken(.lost) }
            if unsent == 0 { return }
            try wait(forWriting: true)
            guard PQconsumeInput(raw) == 1 else { throw broken(.lost) }
        }
    }

    /// How long it waits before it looks whether anybody still wants the answer.
    private static let glance: Int64 = 200

    /// Waits until the socket can be read, or written too.
    func wait(forWriting: Bool) throws(PostgresFailure) {
        var descriptor = pollfd(
            fd: PQsocket(raw), events: Int16(POLLIN) | (forWriting ? Int16(POLLOUT) : 0), revents: 0)
        guard descriptor.fd >= 0 else { throw broken(.lost) }
        while true {
            let now = ContinuousClock.now
            if let end = interruption?.deadline, now >= end { throw broken(.cancelled) }
            let left = (deadline - now).milliseconds
            guard left > 0 else { throw broken(.silent) }
            let ready = poll(&descriptor, 1, Int32(clamping: min(left, Self.glance)))
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw broken(.lost) }
        }
    }
}
