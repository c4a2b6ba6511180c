/// What a pool of connections is doing, and what it did since the start.
package struct PoolFigures: Sendable, Hashable {
    /// `primary` or `standby`.
    package var pool: String
    package var maximum: Int
    package var idle: Int
    package var busy: Int
    package var waiting: Int
    package var opened: Int
    package var waited: Int
    package var waitTime: Duration
    package var timeouts: Int
    package var failures: Int
    package var lost: Int
    package var reconnects: Int

    package init(
        pool: String, maximum: Int, idle: Int, busy: Int, waiting: Int, opened: Int, waited: Int, waitTime: Duration,
        timeouts: Int, failures: Int, lost: Int, reconnects: Int
    ) {
        self.pool = pool
        self.maximum = maximum
        self.idle = idle
        self.busy = busy
        self.waiting = waiting
        self.opened = opened
        self.waited = waited
        self.waitTime = waitTime
        self.timeouts = timeouts
        self.failures = failures
        self.lost = lost
        self.reconnects = reconnects
    }
}

/// A store that reaches its server through pools of connections.
package protocol PoolReporting: Sendable {
    /// The figures of each pool; they cost nothing, and are there while the server is away too.
    var pools: [PoolFigures] { get }
}
