import SQLiteKit
import VigilModel
import VigilPorts

/// A transaction on one connection; alive only while its body runs.
final class SQLiteTransaction: SQLTransaction {
    let scope: AccessScope
    let dialect: any SQLDialect
    private let session: SQLiteSession
    private let rowLimit: Int
    private(set) var hasOutboxEntries = false
    /// Why a statement failed: the transaction is over then, as in PostgreSQL, also when the body goes on.
    private(set) var failure: StoreError?

    init(_ session: SQLiteSession, scope: AccessScope, dialect: any SQLDialect, rowLimit: Int) {
        self.session = session
        self.scope = scope
        self.dialect = dialect
        self.rowLimit = rowLimit
    }

    func rows(_ sql: SQL) throws -> [SQLRow] {
        var result: [SQLRow] = []
        try forEachRow(sql) { row in
            guard result.count < rowLimit else {
                throw StoreError(.limit, "A result has too many rows", details: ["limit": String(rowLimit)])
            }
            result.append(row)
            return true
        }
        return result
    }

    func forEachRow(_ sql: SQL, _ visit: (SQLRow) throws -> Bool) throws {
        let (text, parameters) = sql.rendered { _ in "?" }
        try ending {
            try session.withStatement(text) { statement in
                try statement.bind(parameters.map(SQLiteValue.init))
                let columns = statement.columnNames.map { $0.lowercased() }
                while try statement.step() {
                    let values = statement.row.map(SQLValue.init)
                    guard try visit(SQLRow(columns: columns, values: values)) else { return }
                }
            }
        }
    }

    /// Runs what uses the connection; when SQLite fails in it, the transaction is over.
    private func ending<Result>(_ body: () throws -> Result) throws -> Result {
        if let failure { throw failure }
        do {
            return try body()
        } catch let error as SQLiteFailure {
            let mapped = StoreError(error)
            failure = mapped
            throw mapped
        }
    }

    @discardableResult
    func execute(_ sql: SQL) throws -> Int {
        let (text, parameters) = sql.rendered { _ in "?" }
        return try ending {
            // The count of the connection stays what it was for a statement that changes no rows.
            let before = session.totalChangeCount
            let changed = try session.run(text, parameters.map(SQLiteValue.init))
            return session.totalChangeCount == before ? 0 : changed
        }
    }

    func insert(
        into table: StaticString, columns: [StaticString], rows: some Collection<[SQLValue]>, conflict: SQL?
    ) throws -> Int {
        let names = columns.map(\.description).joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        var (tail, tailParameters) = ("", [SQLValue]())
        if let conflict { (tail, tailParameters) = conflict.rendered { _ in "?" } }
        let text = "INSERT INTO \(table.description) (\(names)) VALUES (\(marks)) \(tail)"
        let extra = tailParameters.map(SQLiteValue.init)
        return try ending {
            try session.withStatement(text) { statement in
                let before = session.totalChangeCount
                for row in rows {
                    guard row.count == columns.count else {
                        throw StoreError(.internalFault, "A row has another number of values than its table of columns")
                    }
                    statement.reset()
                    try statement.bind(row.map(SQLiteValue.init) + extra)
                    while try statement.step() {}
                }
                return session.totalChangeCount - before
            }
        }
    }

    func appendToOutbox(_ message: OutboxMessage) throws {
        hasOutboxEntries = true
        try execute(
            """
            INSERT INTO outbox (tenant_id, type, aggregate, aggregate_id, device_id, data, time)
            VALUES (\(message.tenant), \(message.type), \(message.aggregate), \(message.aggregateID), \(message.device),
                \(message.data), \(message.time))
            """)
    }
}

extension SQLiteValue {
    init(_ value: SQLValue) {
        switch value {
        case .null: self = .null
        case .integer(let value): self = .integer(value)
        case .real(let value): self = .real(value)
        case .text(let value): self = .text(value)
        case .bytes(let value): self = .bytes(value)
        case .boolean(let value): self = .integer(value ? 1 : 0)
        }
    }
}

extension SQLValue {
    init(_ value: SQLiteValue) {
        switch value {
        case .null: self = .null
        case .integer(let value): self = .integer(value)
        case .real(let value): self = .real(value)
        case .text(let value): self = .text(value)
        case .bytes(let value): self = .bytes(value)
        }
    }
}
