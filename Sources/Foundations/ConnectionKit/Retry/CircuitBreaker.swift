/// Stops asking a server that does not answer, and asks again after a while.
///
/// A value: its owner keeps it under its own lock and passes the time in. After `threshold` failures in a row the
/// breaker is open and ``permits(at:)`` says no until a back-off has passed; then one caller may try (half open). That
/// caller's success closes the breaker, its failure opens it for longer.
package struct CircuitBreaker<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    package enum State: String, Sendable { case closed, open, halfOpen }

    package let threshold: Int
    package let backoff: Backoff
    package private(set) var failures = 0
    private var retryAt: Instant?
    private var trying = false

    package init(threshold: Int, backoff: Backoff) {
        self.threshold = threshold
        self.backoff = backoff
    }

    package var state: State {
        retryAt == nil ? .closed : trying ? .halfOpen : .open
    }

    /// Whether a call may be made now.
    ///
    /// When the back-off has passed, only the first to ask may.
    package mutating func permits(at now: Instant) -> Bool {
        guard let retryAt else { return true }
        guard !trying, now >= retryAt else { return false }
        trying = true
        return true
    }

    package mutating func succeeded() {
        failures = 0
        retryAt = nil
        trying = false
    }

    package mutating func failed(at now: Instant) {
        failures += 1
        trying = false
        guard failures >= threshold else { return }
        retryAt = now.advanced(by: backoff.delay(after: failures - threshold + 1))
    }

    /// The attempt was given up without an answer: neither good nor bad, and another may try.
    package mutating func abandoned() {
        trying = false
    }
}
