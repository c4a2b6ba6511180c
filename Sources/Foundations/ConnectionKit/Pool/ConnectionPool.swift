import Synchronization

/// A connection that a ``ConnectionPool`` can hold.
package protocol PooledConnection: AnyObject, Sendable {
    /// Whether it may be given out again. A connection that is in an unknown state says no.
    var isUsable: Bool { get }
    /// Ends it. Called once, and never while it is given out.
    func close() async
}

/// Gives connections out, one caller each, in the order in which callers came.
///
/// - At most `maximum` connections are open; they are opened when needed and closed after `idleLifetime` of rest.
/// - Who finds none free waits, at most `waitTimeout`, with at most `maximumWaiting` others. Whoever came first is
///   served first, also by connections that become free: nobody overtakes.
/// - A server that cannot be reached fails the callers at once, after a few attempts, until it answers again.
///
/// The clock is passed in, so that tests move it by hand.
package final class ConnectionPool<Connection: PooledConnection>: Sendable {
    package typealias Instant = ContinuousClock.Instant

    let settings: PoolSettings
    let clock: any PoolClock
    let connect: @Sendable () async throws -> Connection
    let state: Mutex<PoolState<Connection>>

    package init(
        _ settings: PoolSettings, clock: any PoolClock = SystemPoolClock(),
        connect: @escaping @Sendable () async throws -> Connection
    ) {
        self.settings = settings
        self.clock = clock
        self.connect = connect
        state = Mutex(PoolState(breaker: CircuitBreaker(threshold: 3, backoff: settings.reconnect)))
    }

    /// Runs `body` with a connection of its own and takes the connection back, whatever `body` did.
    ///
    /// - Throws: ``PoolFailure`` when there is none to be had, what `connect` threw, or what `body` threw.
    package func withConnection<Result: Sendable>(
        _ body: @Sendable (Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try await acquire()
        do {
            let result = try await body(connection)
            release(connection)
            return result
        } catch {
            release(connection)
            throw error
        }
    }

    /// Takes a connection; the caller gives it back with ``release(_:)``.
    package func acquire() async throws -> Connection {
        try Task.checkCancellation()
        let (taken, discarded) = state.withLock { state in
            (state.take(settings: settings, now: clock.now()), state.takeDiscarded())
        }
        closeAll(discarded)
        switch taken {
        case .connection(let connection): return connection
        case .open: return try await open()
        case .refused(let failure): throw failure
        case .wait(let ticket):
            switch try await wait(ticket) {
            case .connection(let connection): return connection
            case .open: return try await open()
            }
        }
    }

    /// Takes a connection back and hands it to whoever waits longest.
    ///
    /// One that is no longer usable is closed.
    package func release(_ connection: Connection) {
        let outcome = state.withLock {
            $0.giveBack(connection, usable: connection.isUsable, settings: settings, now: clock.now())
        }
        switch outcome {
        case .kept: break
        case .handed(let waiter): waiter.resume(returning: .connection(connection))
        case .dropped(let waiter):
            Task { await connection.close() }
            waiter?.resume(returning: .open)
        }
    }

    /// Opens a connection in a place that was reserved for it.
    private func open() async throws -> Connection {
        do {
            let connection = try await connect()
            let kept = state.withLock { $0.opened(connection, now: clock.now()) }
            if kept { return connection }
            await connection.close()
            throw PoolFailure.closed
        } catch let failure as PoolFailure {
            throw failure
        } catch {
            let (next, refused) = state.withLock { $0.openFailed(error, now: clock.now()) }
            next?.resume(returning: .open)
            for waiter in refused { waiter.resume(throwing: PoolFailure.resting) }
            throw error
        }
    }

    /// Closes the connections that rest.
    ///
    /// Those that are given out are not touched.
    package func closeIdle() {
        closeAll(state.withLock { $0.removeIdle() })
    }

    /// Refuses everybody from now on, and returns when all connections are closed, those that are given out too.
    package func close() async {
        let (idle, waiters) = state.withLock { $0.close() }
        for waiter in waiters { waiter.resume(throwing: PoolFailure.closed) }
        for connection in idle { await connection.close() }
        await withCheckedContinuation { continuation in
            let done = state.withLock { $0.whenEmpty(continuation) }
            if done { continuation.resume() }
        }
    }

    /// Why the last connection could not be opened, for those who meet ``PoolFailure/resting``; `nil` once one could.
    package var lastFailure: (any Error)? { state.withLock { $0.lastFailure } }

    package var statistics: PoolStatistics {
        state.withLock { $0.statistics(settings) }
    }

    private func closeAll(_ connections: [Connection]) {
        guard !connections.isEmpty else { return }
        Task { for connection in connections { await connection.close() } }
    }
}
