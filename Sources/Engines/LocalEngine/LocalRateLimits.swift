import DequeModule
package import VigilModel
package import VigilPorts

/// Sliding windows of calls, exact: the moment of each counted call is remembered while it is in the window.
package actor LocalRateLimits: RateLimits {
    private struct Calls {
        var times: Deque<Int64> = []
        /// When the last of them leaves the window.
        var end: Timestamp
    }

    private let clock: any TimeSource
    private let memoryLimit: Int
    private var calls: [String: Calls] = [:]
    private var timeCount = 0
    private var lastNow = Timestamp.distantPast
    private var nextSweep = 1024

    /// Remembers at most `memoryLimit` calls of all keys.
    package init(clock: any TimeSource, memoryLimit: Int = 4_000_000) {
        self.clock = clock
        self.memoryLimit = memoryLimit
    }

    package func admit(_ key: String, limit: Int, per window: Span) async throws(StoreError) -> RateDecision {
        guard limit > 0, window > Span(microseconds: 0) else {
            throw StoreError(.invalid, "A rate needs a positive count and time")
        }
        // The wall clock may jump back: for a window, time stands still then.
        let now = max(clock.now(), lastNow)
        lastNow = now
        try makeRoom(now)
        var own = calls[key] ?? Calls(end: now)
        let before = own.times.count
        while let first = own.times.first, first <= (now - window).microseconds { own.times.removeFirst() }
        defer {
            timeCount += own.times.count - before
            calls[key] = own
        }
        guard own.times.count < limit else {
            // The call that must leave the window before there is room; the limit may have been greater before.
            let leaving = own.times[own.times.count - limit]
            let wait = Timestamp(microseconds: leaving) + window - now
            return RateDecision(isAllowed: false, remaining: 0, retryAfter: wait)
        }
        own.times.append(now.microseconds)
        own.end = max(own.end, now + window)
        return RateDecision(
            isAllowed: true, remaining: limit - own.times.count, retryAfter: Span(microseconds: 0))
    }

    private func makeRoom(_ now: Timestamp) throws(StoreError) {
        guard calls.count >= nextSweep || timeCount >= memoryLimit else { return }
        calls = calls.filter { now < $0.value.end }
        timeCount = calls.values.reduce(0) { $0 + $1.times.count }
        nextSweep = max(1024, calls.count * 2)
        guard timeCount < memoryLimit, calls.count < memoryLimit else {
            throw StoreError(.limit, "Too many calls are being counted", details: ["limit": String(memoryLimit)])
        }
    }
}
