import VigilModel
import VigilPorts

/// One transaction on one connection.
///
/// The statements that open it (`BEGIN`, the tenant, the role) travel with the body's first statement, so a
/// transaction of one statement takes two round trips, and a read one takes one: nobody waits for its `COMMIT`.
///
/// An error ends a PostgreSQL transaction. It is remembered here, so a body that swallows one does not commit half.
final class PostgresTransaction: SQLTransaction {
    enum Mode: Sendable { case read, write }

    let dialect: any SQLDialect
    let scope: AccessScope
    let mode: Mode
    let wire: Wire
    let configuration: PostgresConfiguration
    /// What ended the transaction.
    private(set) var failure: PostgresFailure?
    /// The transaction's number at the server, once it has one.
    private(set) var number: Int64?
    private var isBegun = false
    private var cursors = 0
    var outboxEntries: Int64 = 0
    private let givenOpening: [WireRequest]?

    /// - Parameter opening: What opens it instead of the scope's role and tenant: for the schema's owner only.
    init(
        _ wire: Wire, _ configuration: PostgresConfiguration, scope: AccessScope, mode: Mode,
        opening: [WireRequest]? = nil
    ) {
        givenOpening = opening
        self.wire = wire
        self.configuration = configuration
        self.scope = scope
        self.mode = mode
        dialect = PostgresDialect()
    }

    // MARK: Statements

    func rows(_ sql: SQL) throws -> [SQLRow] {
        let answer = try run([WireRequest(sql, rowByRow: true)], rowLimit: configuration.rowLimit)
        guard let last = answer.last else { return [] }
        return last.rows.map { SQLRow(columns: last.columns, values: $0) }
    }

    /// Through a cursor, a thousand rows at a time: `visit` may run statements of its own, and may stop early.
    func forEachRow(_ sql: SQL, _ visit: (SQLRow) throws -> Bool) throws {
        cursors += 1
        let name = "vigil_cursor_\(cursors)"
        let declare = SQL(unchecked: "DECLARE \(name) NO SCROLL CURSOR FOR ") + sql
        let fetch = WireRequest("FETCH 1000 FROM \(name)", isPrepared: false)
        var answers = try run([WireRequest(declare, isPrepared: false), fetch])
        reading: while let page = answers.last, !page.rows.isEmpty {
            for values in page.rows where try !visit(SQLRow(columns: page.columns, values: values)) { break reading }
            if page.rows.count < 1000 { break }
            answers = try run([fetch])
        }
        try run([WireRequest("CLOSE \(name)", isPrepared: false)])
    }

    func execute(_ sql: SQL) throws -> Int {
        try run([WireRequest(sql)]).last?.changed ?? 0
    }

    // MARK: The wire

    /// Runs requests, opening the transaction first when it is not open yet.
    ///
    /// Answers are those of `requests` only.
    @discardableResult
    func run(_ requests: [WireRequest], rowLimit: Int = .max) throws -> [WireAnswer] {
        if let failure { throw failure.storeError }
        do {
            let opening = isBegun ? [] : opening
            isBegun = true
            var answers = try wire.run(opening + requests, rowLimit: rowLimit)
            if opening.count > 1, case .integer(let number)? = answers[1].rows.first?.last { self.number = number }
            answers.removeFirst(opening.count)
            return answers
        } catch {
            throw remember(error).storeError
        }
    }

    /// Makes sure that the transaction is open, for work that does not go through ``run(_:rowLimit:)``.
    func begin() throws {
        if !isBegun { try run([]) }
    }

    @discardableResult
    func remember(_ error: PostgresFailure) -> PostgresFailure {
        var error = error
        if error.state == "25006", mode == .read {
            // Not the server's state: the body writes where it said it would read.
            wire.failure = nil
            error = PostgresFailure(
                kind: .local(StoreError(.invalid, "A read transaction cannot write", details: ["sqlstate": "25006"])))
        }
        failure = failure ?? error
        return error
    }

    private var opening: [WireRequest] {
        if let givenOpening { return givenOpening }
        let role = scope.tenant == nil ? configuration.systemRole : configuration.tenantRole
        let parameters: [SQLValue] = [.text(role), .text(scope.tenant?.description ?? "")]
        let settings = "SELECT set_config('role', $1, true), set_config('vigil.tenant', $2, true)"
        switch mode {
        case .read:
            return [WireRequest("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), WireRequest(settings, parameters)]
        case .write:
            // The number is taken at once, with the snapshot: numbers are then in the order of what each could see.
            return [
                WireRequest("BEGIN ISOLATION LEVEL SERIALIZABLE"),
                WireRequest(settings + ", pg_current_xact_id()", parameters),
            ]
        }
    }

    // MARK: The end

    /// Commits.
    ///
    /// A write returns when the server has said so.
    ///
    /// - Parameter committed: Is told how far the log then is.
    /// - Throws: What ended the transaction earlier, or the commit's failure.
    func commit(noting committed: CommittedPosition? = nil) throws(PostgresFailure) {
        if let failure {
            rollBack()
            throw failure
        }
        guard isBegun else { return }
        try wire.send(WireRequest("COMMIT"))
        guard mode == .write else { return try wire.finishWithoutWaiting() }
        if committed != nil { try wire.send(WireRequest("SELECT pg_current_wal_insert_lsn()::text")) }
        let answers = try wire.collect()
        guard answers.first?.tag == "COMMIT" else {
            throw PostgresFailure(kind: .local(StoreError(.internalFault, "A transaction did not commit")))
        }
        if case .text(let position)? = answers.last?.rows.first?.first { committed?.note(position) }
    }

    /// Undoes everything.
    ///
    /// When even that fails the connection is dropped, which undoes it too.
    func rollBack() {
        guard isBegun, wire.failure == nil else { return }
        do {
            try wire.send(WireRequest("ROLLBACK"))
            try wire.finishWithoutWaiting()
        } catch {
            wire.failure = wire.failure ?? PostgresFailure(kind: .lost)
        }
    }
}
