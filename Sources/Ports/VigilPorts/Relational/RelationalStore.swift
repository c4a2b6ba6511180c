package import VigilModel

/// The truth of everything but readings: tables in SQLite or PostgreSQL.
///
/// ```swift
/// let name = try await store.read(in: scope) { transaction in
///     try transaction.rows("SELECT name FROM sites WHERE tenant = \(tenant) AND code = \(code)").first?
///         .get("name", as: String.self)
/// }
/// ```
///
/// A body is synchronous, runs on the thread of its connection, and may run more than once: it does no I/O and has no
/// side effects beyond its transaction. Bodies never nest.
package protocol RelationalStore: Sendable {
    var dialect: any SQLDialect { get }

    /// Runs `body` in a serializable transaction, commits, and returns what it returned.
    ///
    /// When the transaction cannot be serialized with others, it is rolled back and the body runs again, up to ten
    /// times; then `contention` is thrown. Whatever the body throws rolls back and is thrown on. The commit is durable
    /// when this returns.
    ///
    /// What the task's ``CommitWitness`` notes is part of the transaction.
    @discardableResult
    func write<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result

    /// Runs `body` on one snapshot, which sees every transaction that was committed before. Writing throws `invalid`.
    func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result

    /// Runs `body` like `read(in:_:)`, on a snapshot that is as fresh as asked.
    ///
    /// A recent one sees every transaction that this process committed before, and may miss the newest of others.
    func read<Result: Sendable>(
        _ freshness: ReadFreshness, in scope: AccessScope,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result

    /// Entries of the outbox after `position`, in order, at most `limit`.
    ///
    /// An entry shows only when no older transaction can still add one before it, so a reader that remembers the last
    /// position it handled misses nothing. Entries of one aggregate are in the order of their transactions.
    func outbox(after position: OutboxPosition, limit: Int) async throws -> [OutboxEntry]

    /// Yields after entries came into the outbox, as far as this process can know; several arrivals may be one element.
    ///
    /// A reader waits for it instead of asking all the time, and still asks now and then: other processes write too.
    func outboxArrivals() -> AsyncStream<Void>

    /// Ends connections. Calls that run finish; later calls throw `unavailable`.
    func close() async
}

/// How fresh a read must be.
package enum ReadFreshness: Sendable, Hashable {
    /// Sees every transaction that was committed before.
    case current
    /// Sees every transaction that this process committed before; a standby may serve it.
    case recent
}

extension RelationalStore {
    /// For stores of one copy: every read is current.
    package func read<Result: Sendable>(
        _ freshness: ReadFreshness, in scope: AccessScope,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await read(in: scope, body)
    }

    /// For stores that cannot know: never yields.
    package func outboxArrivals() -> AsyncStream<Void> { AsyncStream { _ in } }
}

/// What a body does with its transaction.
///
/// Use it only inside the body, on the body's thread.
package protocol SQLTransaction {
    var dialect: any SQLDialect { get }
    /// The scope that the transaction was opened with.
    var scope: AccessScope { get }

    /// All rows of the result, at most `limit` rows of the engine's setting (default one million): more throws `limit`.
    func rows(_ sql: SQL) throws -> [SQLRow]

    /// Hands each row to `visit` without keeping them; stops when `visit` returns false.
    func forEachRow(_ sql: SQL, _ visit: (SQLRow) throws -> Bool) throws

    /// Runs a statement and returns how many rows it changed.
    @discardableResult
    func execute(_ sql: SQL) throws -> Int

    /// Runs one statement for many rows of parameters, as one batch: `INSERT INTO table (columns) VALUES …`.
    ///
    /// What `conflict` says follows the values, such as `ON CONFLICT (id) DO NOTHING`.
    func insert(
        into table: StaticString, columns: [StaticString], rows: some Collection<[SQLValue]>, conflict: SQL?
    ) throws -> Int

    /// Adds to the outbox, in this transaction.
    func appendToOutbox(_ message: OutboxMessage) throws
}

/// Something that happened, written with the change itself, for those who must hear of it.
package struct OutboxMessage: Sendable, Hashable {
    package let tenant: TenantID?
    /// What happened: `alert.raised`, `device.updated`.
    package let type: String
    /// The kind of thing it happened to (`alert`, `device`) and its identifier: entries of one aggregate keep their order.
    package let aggregate: String
    package let aggregateID: String
    /// The device whose visibility decides who may hear of it, if any.
    package let device: DeviceID?
    package let data: JSONValue
    package let time: Timestamp

    package init(
        tenant: TenantID?, type: String, aggregate: String, aggregateID: String, device: DeviceID? = nil,
        data: JSONValue, time: Timestamp
    ) {
        self.tenant = tenant
        self.type = type
        self.aggregate = aggregate
        self.aggregateID = aggregateID
        self.device = device
        self.data = data
        self.time = time
    }
}

package struct OutboxEntry: Sendable, Hashable {
    package let position: OutboxPosition
    package let message: OutboxMessage

    package init(position: OutboxPosition, message: OutboxMessage) {
        self.position = position
        self.message = message
    }
}

/// Where in the outbox an entry stands: the `sequence` of live messages.
package struct OutboxPosition: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static let start = OutboxPosition(rawValue: 0)
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
