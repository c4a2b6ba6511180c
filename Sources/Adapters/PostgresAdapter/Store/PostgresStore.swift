package import ConnectionKit
package import VigilModel
package import VigilPorts

/// The relational store on a PostgreSQL server, 15 or newer.
///
/// Bodies run on the thread of the connection that they were given. Writes are serializable and run again when they
/// stood in each other's way, or when the server went away before the commit was sent. Reads see one snapshot, on the
/// primary, or on a standby where ``VigilPorts/ReadFreshness/recent`` is enough.
package final class PostgresStore: RelationalStore {
    package let configuration: PostgresConfiguration
    package var dialect: any SQLDialect { PostgresDialect() }
    let primary: ConnectionPool<PostgresConnection>
    let replicas: ConnectionPool<PostgresConnection>?
    /// For readers of the outbox in this process; those in others are told by ``notices``.
    let arrivals = ArrivalSignals()
    let notices: OutboxNotices
    let committed = CommittedPosition()

    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        primary = ConnectionPool(configuration.pool) {
            try await PostgresConnection.open(configuration, url: configuration.url, session: "read-write")
        }
        notices = OutboxNotices(configuration, pool: primary, arrivals: arrivals)
        replicas = configuration.replicaURL.map { url in
            ConnectionPool(configuration.pool) {
                try await PostgresConnection.open(configuration, url: url, session: "prefer-standby")
            }
        }
    }

    /// Connects, and makes sure that the server is new enough.
    ///
    /// The schema is not looked at: ``PostgresMigrator`` does that, and the roles that it makes are needed for the
    /// first transaction.
    ///
    /// - Throws: `unavailable` with a `reason` when the server cannot be reached or refuses; `invalid` when it is older
    ///   than 15.
    package static func open(_ configuration: PostgresConfiguration) async throws -> PostgresStore {
        let store = PostgresStore(configuration)
        do {
            let version = try await store.primary.withConnection { await $0.server.version }
            guard version >= 150_000 else {
                throw StoreError(
                    .invalid, "PostgreSQL 15 or newer is needed", details: ["version": String(version / 10_000)])
            }
            return store
        } catch {
            await store.close()
            throw Self.storeError(error)
        }
    }

    package func write<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await attempts(primary, scope, .write, CommitWitness.watching(body))
    }

    package func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await attempts(primary, scope, .read, body)
    }

    package func close() async {
        notices.close()
        arrivals.finish()
        // A call that hangs on a dead connection would hold the end up until its silence is over.
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        Task { [primary, replicas] in
            await primary.close()
            await replicas?.close()
            end.finish()
        }
        Task {
            try? await pause(Self.closingPatience)
            end.finish()
        }
        for await _ in ended {}
    }

    /// How long an end waits for calls that still run.
    private static let closingPatience = Duration.seconds(10)

    package var statistics: PoolStatistics { primary.statistics }
    /// Of the connections to standbys, where there are any.
    package var replicaStatistics: PoolStatistics? { replicas?.statistics }
}

extension PostgresStore: PoolReporting {
    package var pools: [PoolFigures] {
        [Self.figures("primary", statistics)] + (replicaStatistics.map { [Self.figures("standby", $0)] } ?? [])
    }

    private static func figures(_ name: String, _ pool: PoolStatistics) -> PoolFigures {
        PoolFigures(
            pool: name, maximum: pool.maximum, idle: pool.idle, busy: pool.busy, waiting: pool.waiting,
            opened: pool.opened, waited: pool.waited, waitTime: pool.waitTime, timeouts: pool.timeouts,
            failures: pool.failures, lost: pool.lost, reconnects: pool.reconnects)
    }
}
