import ConnectionKit
import VigilModel
import VigilPorts

extension PostgresStore {
    /// How one run of a body ended.
    enum Ending<Result: Sendable>: Sendable {
        case done(Result, hasOutboxEntries: Bool = false)
        /// A standby has not replayed what it was asked for: nothing was run.
        case behind
        /// The body threw, for a reason of its own.
        case thrown(any Error)
        case failed(PostgresFailure)
        /// The connection broke after COMMIT was sent: nobody knows yet whether it happened.
        case unknown(PendingCommit, Result)
    }

    /// Runs `body` until it commits, throws, or there is no hope.
    ///
    /// Transactions that could not be serialized run again up to ten times. What failed because the server went away
    /// runs again until the failover window is over: nothing of it was committed.
    func attempts<Result: Sendable>(
        _ pool: ConnectionPool<PostgresConnection>, _ scope: AccessScope, _ mode: PostgresTransaction.Mode,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        let giveUp = ContinuousClock.now + configuration.failoverWindow
        var collisions = 0
        var losses = 0
        while true {
            let failure: PostgresFailure
            switch await attempt(pool, scope, mode, body) {
            case .done(let result, let hasOutboxEntries):
                if hasOutboxEntries { arrived() }
                return result
            case .thrown(let error): throw error
            case .unknown(let commit, let result):
                if try await resolve(commit, until: giveUp) {
                    arrived()
                    return result
                }
                failure = PostgresFailure(kind: .lost)
            case .failed(let reason): failure = reason
            case .behind: preconditionFailure("BUG: only a read on a standby can be behind")
            }
            if failure.isSerialization {
                collisions += 1
                guard collisions < 10 else { throw failure.storeError }
                try await pause(Self.collisionBackoff.delay(after: collisions))
            } else if failure.isConnectionLoss, !failure.isHopeless, .now < giveUp {
                losses += 1
                // Others of the pool broke with it: they are not worth an attempt each.
                pool.closeIdle()
                try await pause(Self.lossBackoff.delay(after: losses))
            } else {
                throw failure.storeError
            }
        }
    }

    private func arrived() {
        arrivals.signal()
        notices.tell()
    }

    private static let collisionBackoff = Backoff(base: .milliseconds(1), limit: .milliseconds(100), jitter: 1)
    private static let lossBackoff = Backoff(base: .milliseconds(20), limit: .milliseconds(500), jitter: 0.5)

    func pause(_ duration: Duration) async throws {
        try await SystemPoolClock().wait(until: .now + duration)
    }

    /// - Parameter position: What a standby must have replayed.
    func attempt<Result: Sendable>(
        _ pool: ConnectionPool<PostgresConnection>, _ scope: AccessScope, _ mode: PostgresTransaction.Mode,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result, after position: UInt64? = nil
    ) async -> Ending<Result> {
        let configuration = configuration
        let committed = mode == .write && replicas != nil ? committed : nil
        do {
            return try await pool.withConnection { connection in
                try await connection.use { wire in
                    if let position, try !Self.hasReplayed(position, wire) { return .behind }
                    return Self.transact(wire, configuration, scope, mode, body, noting: committed)
                }
            }
        } catch PoolFailure.resting {
            // Whoever comes while the server is left alone is told why, like those who tried.
            return .failed(Self.failure(pool.lastFailure ?? PoolFailure.resting))
        } catch {
            return .failed(Self.failure(error))
        }
    }

    private static func transact<Result: Sendable>(
        _ wire: Wire, _ configuration: PostgresConfiguration, _ scope: AccessScope, _ mode: PostgresTransaction.Mode,
        _ body: (any SQLTransaction) throws -> Result, noting committed: CommittedPosition?
    ) -> Ending<Result> {
        let transaction = PostgresTransaction(wire, configuration, scope: scope, mode: mode)
        let result: Result
        do {
            result = try body(transaction)
        } catch {
            transaction.rollBack()
            if let failure = transaction.failure {
                if failure.names["reason"] == "plan" { wire.forgetSchema() }
                // What the body made of the store's error matters only when it will not run again.
                if failure.isSerialization || failure.isConnectionLoss { return .failed(failure) }
            }
            return .thrown(error)
        }
        do {
            try transaction.commit(noting: committed)
            return .done(result, hasOutboxEntries: transaction.outboxEntries > 0)
        } catch {
            if error.names["reason"] == "plan" { wire.forgetSchema() }
            let wasSent = transaction.failure == nil && mode == .write
            if wasSent, wire.failure != nil, error.state != "40001", let number = transaction.number {
                return .unknown(PendingCommit(number: number, server: wire.server), result)
            }
            return .failed(error)
        }
    }

    /// What a pool or a connection threw, as a failure of ours.
    static func failure(_ error: any Error) -> PostgresFailure {
        switch error {
        case let failure as PostgresFailure: failure
        case PoolFailure.resting: PostgresFailure(kind: .lost, names: ["reason": "resting"])
        case PoolFailure.closed:
            PostgresFailure(kind: .local(StoreError(.unavailable, "The store is closed")))
        case PoolFailure.timeout:
            PostgresFailure(kind: .local(StoreError(.unavailable, "No connection became free in time")))
        case PoolFailure.tooManyWaiting:
            PostgresFailure(kind: .local(StoreError(.unavailable, "Too many calls wait for a connection")))
        case is CancellationError: PostgresFailure(kind: .cancelled)
        case let error as StoreError: PostgresFailure(kind: .local(error))
        default: PostgresFailure(kind: .local(StoreError(.internalFault, "An error of an unknown kind")))
        }
    }

    static func storeError(_ error: any Error) -> StoreError {
        failure(error).storeError
    }
}
