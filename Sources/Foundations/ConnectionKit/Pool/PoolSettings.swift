/// The bounds of a ``ConnectionPool``.
package struct PoolSettings: Sendable, Hashable {
    /// Connections that may be open at once.
    package var maximum: Int
    /// Callers that may wait at once; the next one is refused.
    package var maximumWaiting: Int
    /// How long a caller waits at most.
    package var waitTimeout: Duration
    /// After how much rest a connection is closed.
    package var idleLifetime: Duration
    /// After how long a connection is replaced, however busy: servers and balancers forget old ones.
    package var maximumLifetime: Duration
    /// How long a server that refused three times in a row is left alone.
    package var reconnect: Backoff

    package init(
        maximum: Int = 16, maximumWaiting: Int = 1024, waitTimeout: Duration = .seconds(10),
        idleLifetime: Duration = .seconds(300), maximumLifetime: Duration = .seconds(3600),
        reconnect: Backoff = Backoff(base: .milliseconds(100), limit: .seconds(2))
    ) {
        self.maximum = max(1, maximum)
        self.maximumWaiting = maximumWaiting
        self.waitTimeout = waitTimeout
        self.idleLifetime = idleLifetime
        self.maximumLifetime = maximumLifetime
        self.reconnect = reconnect
    }
}

/// Why a pool gave no connection.
package enum PoolFailure: Error, Sendable, Hashable {
    case closed
    case tooManyWaiting
    case timeout
    /// The server refused several times in a row, and is left alone for a moment.
    case resting
}

/// What a pool is doing, for metrics and `vigil doctor`.
package struct PoolStatistics: Sendable, Hashable {
    package var maximum = 0
    package var open = 0
    package var idle = 0
    package var waiting = 0
    /// Since the start: connections opened, callers that had to wait, callers that waited in vain, failed openings.
    package var opened = 0
    package var waited = 0
    package var timeouts = 0
    package var failures = 0
    /// Connections that were given back broken, and how many were opened in the place of such a one.
    package var lost = 0
    package var reconnects = 0
    /// How long callers stood in line, those that waited in vain too.
    package var waitTime = Duration.zero
    package var breaker = "closed"

    package var busy: Int { open - idle }
}

/// The time of a pool.
package protocol PoolClock: Sendable {
    func now() -> ContinuousClock.Instant
    func wait(until deadline: ContinuousClock.Instant) async throws
}

/// The machine's steady clock.
package struct SystemPoolClock: PoolClock {
    package init() {}

    package func now() -> ContinuousClock.Instant { ContinuousClock.now }

    package func wait(until deadline: ContinuousClock.Instant) async throws {
        try await ContinuousClock().sleep(until: deadline)
    }
}
