import CLibPQ
import Foundation

extension Wire {
    /// What was sent by NOTIFY on the channels that this connection listens to; waits for the first one.
    ///
    /// - Returns: The payloads; none when the time is over.
    func notices(within time: Duration) throws(PostgresFailure) -> [String] {
        if !expected.isEmpty { _ = try collect() }
        let waiting = takeNotices()
        if !waiting.isEmpty { return waiting }
        var descriptor = pollfd(fd: PQsocket(raw), events: Int16(POLLIN), revents: 0)
        guard descriptor.fd >= 0 else { throw broken(.lost) }
        let ready = poll(&descriptor, 1, Int32(clamping: time.milliseconds))
        if ready > 0 {
            guard PQconsumeInput(raw) == 1, PQstatus(raw) == CONNECTION_OK else { throw broken(.lost) }
        } else if ready < 0, errno != EINTR {
            throw broken(.lost)
        }
        return takeNotices()
    }

    private func takeNotices() -> [String] {
        var result: [String] = []
        while let notice = PQnotifies(raw) {
            result.append(notice.pointee.extra.map { String(cString: $0) } ?? "")
            PQfreemem(notice)
        }
        return result
    }
}
