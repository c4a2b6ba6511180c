import CLibPQ
import VigilModel
import VigilPorts

/// A transaction of the schema's owner, for migrations: no role, no tenant, and scripts of many statements.
final class OwnerTransaction: SQLTransaction {
    let dialect: any SQLDialect = PostgresDialect()
    let scope = SystemScope.allTenants("migration")
    private let wire: Wire
    private let inner: PostgresTransaction
    private var isOpen = true

    init(_ wire: Wire, _ configuration: PostgresConfiguration) {
        self.wire = wire
        inner = PostgresTransaction(
            wire, configuration, scope: scope, mode: .write, opening: [WireRequest("BEGIN", isPrepared: false)])
    }

    func rows(_ sql: SQL) throws -> [SQLRow] { try inner.rows(sql) }
    func forEachRow(_ sql: SQL, _ visit: (SQLRow) throws -> Bool) throws { try inner.forEachRow(sql, visit) }
    @discardableResult
    func execute(_ sql: SQL) throws -> Int { try inner.execute(sql) }
    func appendToOutbox(_ message: OutboxMessage) throws { try inner.appendToOutbox(message) }
    func insert(
        into table: StaticString, columns: [StaticString], rows: some Collection<[SQLValue]>, conflict: SQL?
    ) throws -> Int {
        try inner.insert(into: table, columns: columns, rows: rows, conflict: conflict)
    }

    /// Runs the statements of a migration file, in this transaction.
    func script(_ text: String) throws {
        try inner.begin()
        do {
            try wire.script(text)
        } catch {
            throw inner.remember(error).storeError
        }
    }

    func commit() throws {
        isOpen = false
        do {
            try inner.commit()
        } catch {
            throw error.storeError
        }
    }

    func rollBack() {
        if isOpen { inner.rollBack() }
        isOpen = false
    }
}

extension Wire {
    /// Runs many statements in one text.
    ///
    /// Only the simple protocol can, so the connection leaves pipeline mode.
    func script(_ text: String) throws(PostgresFailure) {
        if !expected.isEmpty { _ = try collect() }
        guard PQexitPipelineMode(raw) == 1 else { throw broken(.lost) }
        deadline = .now + silenceLimit
        guard PQsendQuery(raw, text) == 1 else { throw broken(.lost) }
        var problem: PostgresFailure?
        while let result = try next() {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
            default: problem = problem ?? PostgresFailure(result: result)
            }
        }
        guard PQenterPipelineMode(raw) == 1 else { throw broken(.lost) }
        if let problem { throw problem }
    }
}
