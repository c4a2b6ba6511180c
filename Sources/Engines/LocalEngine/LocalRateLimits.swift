import DequeModule
import Synchronization
package import VigilModel
package import VigilPorts

/// Sliding windows of calls, exact: the moment of each counted call is remembered while it is in the window.
///
/// Behind a lock instead of in an actor: every request asks, and to enter an actor takes longer than to count.
package final class LocalRateLimits: RateLimits {
    private struct Calls {
        var times: Deque<Int64> = []
        /// When the last of them leaves the window.
        var end: Timestamp

        /// Counts a call, when there is room for it.
        mutating func admit(limit: Int, per window: Span, at now: Timestamp) -> RateDecision {
            while let first = times.first, first <= (now - window).microseconds { times.removeFirst() }
            guard times.count < limit else {
                // The call that must leave the window before there is room; the limit may have been greater before.
                let leaving = times[times.count - limit]
                let wait = Timestamp(microseconds: leaving) + window - now
                return RateDecision(isAllowed: false, remaining: 0, retryAfter: wait)
            }
            times.append(now.microseconds)
            end = max(end, now + window)
            return RateDecision(isAllowed: true, remaining: limit - times.count, retryAfter: Span(microseconds: 0))
        }
    }

    private let clock: any TimeSource
    private let state: Mutex<State>

    /// Remembers at most `memoryLimit` calls of all keys.
    package init(clock: any TimeSource, memoryLimit: Int = 4_000_000) {
        self.clock = clock
        state = Mutex(State(memoryLimit: memoryLimit))
    }

    package func admit(_ key: String, limit: Int, per window: Span) async throws(StoreError) -> RateDecision {
        guard limit > 0, window > Span(microseconds: 0) else {
            throw StoreError(.invalid, "A rate needs a positive count and time")
        }
        let now = clock.now()
        return try state.withLock { (state) throws(StoreError) in
            try state.admit(key, limit: limit, per: window, at: now)
        }
    }
}

extension LocalRateLimits {
    private struct State {
        let memoryLimit: Int
        private var calls: [String: Calls] = [:]
        private var timeCount = 0
        private var lastNow = Timestamp.distantPast
        private var nextSweep = 1024

        init(memoryLimit: Int) { self.memoryLimit = memoryLimit }

        mutating func admit(
            _ key: String, limit: Int, per window: Span, at time: Timestamp
        ) throws(StoreError) -> RateDecision {
            // The wall clock may jump back: for a window, time stands still then.
            let now = max(time, lastNow)
            lastNow = now
            try makeRoom(now)
            // Where they lie: a copy of a second's calls would take longer than all else.
            return Self.changing(&calls[key, default: Calls(end: now)], &timeCount) { calls in
                calls.admit(limit: limit, per: window, at: now)
            }
        }

        private static func changing(
            _ own: inout Calls, _ timeCount: inout Int, _ body: (inout Calls) -> RateDecision
        ) -> RateDecision {
            let before = own.times.count
            defer { timeCount += own.times.count - before }
            return body(&own)
        }

        private mutating func makeRoom(_ now: Timestamp) throws(StoreError) {
            guard calls.count >= nextSweep || timeCount >= memoryLimit else { return }
            calls = calls.filter { now < $0.value.end }
            timeCount = calls.values.reduce(0) { $0 + $1.times.count }
            nextSweep = max(1024, calls.count * 2)
            guard timeCount < memoryLimit, calls.count < memoryLimit else {
                throw StoreError(.limit, "Too many calls are being counted", details: ["limit": String(memoryLimit)])
            }
        }
    }
}
