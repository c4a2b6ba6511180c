import Synchronization

/// Says, from any thread, that nobody waits for a connection's answer any more.
///
/// The server is asked to stop and gets ``patience`` to say that it did; without this a call on a half-open connection
/// would hold up the end of the process until its silence is over.
final class Interruption: Sendable {
    static let patience = Duration.seconds(1)

    private let since = Mutex<ContinuousClock.Instant?>(nil)

    func begin() {
        since.withLock { $0 = $0 ?? .now }
    }

    /// Until when an answer is still waited for; `nil` while somebody wants it.
    var deadline: ContinuousClock.Instant? {
        since.withLock { $0?.advanced(by: Self.patience) }
    }
}
