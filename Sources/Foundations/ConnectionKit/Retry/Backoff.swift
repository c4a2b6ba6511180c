/// How long to wait before each further attempt.
///
/// The delay doubles from `base` up to `limit`; a random part of up to `jitter` of it is added, so that many callers
/// that failed together do not return together.
package struct Backoff: Sendable, Hashable {
    package let base: Duration
    package let limit: Duration
    package let jitter: Double

    package init(base: Duration, limit: Duration, jitter: Double = 0.25) {
        self.base = base
        self.limit = limit
        self.jitter = jitter
    }

    /// The wait before attempt `attempt` + 1, with `attempt` from 1.
    package func delay(after attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(attempt - 1, 0), 30)
        let plain = min(base * (1 << doublings), limit)
        guard jitter > 0 else { return plain }
        return plain + plain * Double.random(in: 0...jitter, using: &generator)
    }

    /// The wait before attempt `attempt` + 1, with the system's random numbers.
    package func delay(after attempt: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(after: attempt, using: &generator)
    }
}
