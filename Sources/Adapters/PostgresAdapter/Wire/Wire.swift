import CLibPQ
import VigilPorts

/// One libpq connection in pipeline mode.
///
/// Used on its connection's thread only.
///
/// Requests are queued by ``send(_:)`` and leave together; ``collect(rowLimit:)`` ends the batch and reads all answers.
/// After the first error the server skips the rest of the batch.
final class Wire {
    /// What the server will say next, in order.
    enum Expected {
        case prepared(StatementCache.Key)
        case answer(rowByRow: Bool)
        /// The answer to something that nobody waits for.
        case ignored
        case synced
    }

    let raw: OpaquePointer
    var statements: StatementCache
    var expected: [Expected] = []
    /// When the batch that is being worked on must be answered.
    var deadline: ContinuousClock.Instant = .now
    var silenceLimit: Duration
    /// Set when the connection may be left in the middle of a call.
    var interruption: Interruption?
    /// Why the connection can no longer be used.
    var failure: PostgresFailure?
    /// Which history the server writes, and whether it is a standby: known after connecting.
    var server = ServerIdentity()

    /// What is known of tables, for batches.
    ///
    /// Forgotten when a cached plan turns out to be old.
    var columnTypes: [String: [String: String]] = [:]
    var copyAllowed: [String: Bool] = [:]

    init(raw: OpaquePointer, cacheSize: Int, silenceLimit: Duration) {
        self.raw = raw
        self.silenceLimit = silenceLimit
        statements = StatementCache(capacity: cacheSize)
    }

    deinit {
        PQfinish(raw)
    }

    /// Notes that the connection is of no more use.
    func broken(_ kind: PostgresFailure.Kind) -> PostgresFailure {
        var failure = PostgresFailure(kind: kind)
        if let host = PQhost(raw) { failure.names["host"] = String(cString: host) }
        if let port = PQport(raw) { failure.names["port"] = String(cString: port) }
        self.failure = failure
        return failure
    }

    /// Forgets what was learnt of the schema, which has changed.
    ///
    /// The names of statements are not used again.
    func forgetSchema() {
        statements = StatementCache(capacity: statements.capacity, continuing: statements)
        columnTypes = [:]
        copyAllowed = [:]
    }

    /// Runs requests as one batch and waits for all answers.
    func run(_ requests: [WireRequest], rowLimit: Int = .max) throws(PostgresFailure) -> [WireAnswer] {
        for request in requests { try send(request) }
        return try collect(rowLimit: rowLimit)
    }
}

/// What tells one server's history from another's.
struct ServerIdentity: Sendable, Hashable {
    var version = 0
    var isStandby = false
    /// The timeline: a standby that takes over starts a new one.
    var timeline: Int64 = 0
    var system = ""
}
