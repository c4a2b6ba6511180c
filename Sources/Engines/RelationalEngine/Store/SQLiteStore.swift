import SQLiteKit
import Synchronization
package import VigilModel
package import VigilPorts

/// The relational store on one SQLite file: one writer, many readers, write-ahead log.
///
/// A write runs alone, so writes are serializable by construction; a read runs on a snapshot and waits for no write. A
/// commit returns when its bytes are synced.
package final class SQLiteStore: RelationalStore {
    package let dialect: any SQLDialect = SQLiteDialect()
    package let path: String
    let writer: SQLiteLane
    private let readers: LanePool
    private let arrivals = ArrivalSignals()
    private let rowLimit: Int
    private let limits: TimeLimits
    /// The first damage that was met: from then on the store takes no writes, so that nothing is built on it.
    let damage = Mutex<StoreError?>(nil)

    /// How long transactions may run.
    package struct TimeLimits: Sendable, Hashable {
        package var read: Duration
        package var write: Duration

        package init(read: Duration = .seconds(30), write: Duration = .seconds(600)) {
            self.read = read
            self.write = write
        }
    }

    /// Opens the file, and makes it when it is missing.
    ///
    /// - Parameters:
    ///   - readerCount: How many reads run at the same time.
    ///   - rowLimit: How many rows one result may have.
    ///   - limits: How long a read and a write may run; past it they end with `timeout`.
    package init(
        path: String, readerCount: Int = 4, rowLimit: Int = 1_000_000, limits: TimeLimits = TimeLimits()
    ) throws(StoreError) {
        self.path = path
        self.rowLimit = rowLimit
        self.limits = limits
        do {
            writer = try SQLiteLane(path: path, access: .create, name: "vigil.sqlite.writer")
            let lanes = try (0..<readerCount).map { index in
                try SQLiteLane(path: path, access: .read, name: "vigil.sqlite.reader.\(index)")
            }
            readers = LanePool(lanes)
        } catch let failure as SQLiteFailure {
            throw StoreError(failure)
        } catch {
            throw StoreError(.internalFault, "SQLite failed in an unknown way")
        }
    }

    @discardableResult
    package func write<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try refuseWhenDamaged()
        let body = CommitWitness.watching(body)
        let outcome = try await noting { [dialect, rowLimit, limits, writer] in
            try await writer.perform(for: limits.write) { session in
                try Self.begin(session, isWrite: true)
                let transaction = SQLiteTransaction(session, scope: scope, dialect: dialect, rowLimit: rowLimit)
                do {
                    let result = try body(transaction)
                    if let failure = transaction.failure { throw failure }
                    try session.commit()
                    return (result, transaction.hasOutboxEntries)
                } catch {
                    // The first error is the one that matters: a rollback fails only when SQLite has rolled back itself.
                    try? session.rollback()
                    throw StoreError.mapped(error)
                }
            }
        }
        if outcome.1 { arrivals.signal() }
        return outcome.0
    }

    package func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        let lane = try await readers.take()
        defer { readers.give(lane) }
        return try await noting { [dialect, rowLimit, limits] in
            try await lane.perform(for: limits.read) { session in
                try Self.begin(session, isWrite: false)
                defer { try? session.rollback() }
                let transaction = SQLiteTransaction(session, scope: scope, dialect: dialect, rowLimit: rowLimit)
                do {
                    let result = try body(transaction)
                    if let failure = transaction.failure { throw failure }
                    return result
                } catch {
                    throw StoreError.mappedInRead(error)
                }
            }
        }
    }

    package func outbox(after position: OutboxPosition, limit: Int) async throws -> [OutboxEntry] {
        try await read(in: SystemScope.allTenants("reading the outbox")) { transaction in
            let rows = try transaction.rows(
                """
                SELECT position, tenant_id, type, aggregate, aggregate_id, device_id, data, time FROM outbox
                WHERE position > \(position.rawValue) ORDER BY position LIMIT \(limit)
                """)
            return try rows.map(OutboxEntry.init(row:))
        }
    }

    package func outboxArrivals() -> AsyncStream<Void> { arrivals.stream() }

    package func close() async {
        arrivals.finish()
        for lane in readers.close() { await lane.close() }
        await writer.close()
    }

    private func refuseWhenDamaged() throws {
        if let error = damage.withLock({ $0 }) { throw error }
    }

    /// Remembers damage that `body` meets.
    func noting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as StoreError where error.code == .damaged {
            damage.withLock { damage in damage = damage ?? error }
            throw error
        }
    }

    private static func begin(_ session: SQLiteSession, isWrite: Bool) throws {
        do {
            try session.begin(immediate: isWrite)
        } catch {
            throw StoreError(error)
        }
    }
}

extension OutboxEntry {
    /// The row of the table `outbox`.
    init(row: SQLRow) throws(StoreError) {
        let message = OutboxMessage(
            tenant: try row.optional("tenant_id"), type: try row.get("type"), aggregate: try row.get("aggregate"),
            aggregateID: try row.get("aggregate_id"), device: try row.optional("device_id"),
            data: try row.get("data"), time: try row.get("time"))
        self.init(position: OutboxPosition(rawValue: try row.get("position")), message: message)
    }
}
