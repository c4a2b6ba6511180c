import CSQLiteVFS
import GRDBSQLite

/// What may be done with a connection while it is ours.
///
/// Use it only inside ``SQLiteConnection/run(_:)``.
package final class SQLiteSession {
    let handle: OpaquePointer
    package let path: String
    private let statementCount: Int
    /// Statements that nobody has, with the number of the use that was their last.
    private var idle: [String: (statement: SQLiteStatement, use: Int)] = [:]
    private var useCount = 0
    private var interruption: (() -> Bool)?

    init(handle: OpaquePointer, path: String, statementCount: Int) {
        self.handle = handle
        self.path = path
        self.statementCount = statementCount
    }

    // MARK: Statements

    /// Runs statements without parameters and without results: schemas, pragmas.
    package func execute(_ script: String) throws(SQLiteFailure) {
        try check(sqlite3_exec(handle, script, nil, nil, nil))
    }

    /// Lends a prepared statement to `body`; its text is compiled once as long as it is used now and then.
    ///
    /// - Throws: ``SQLiteFailure`` when the text is wrong; what `body` throws.
    package func withStatement<Result>(_ text: String, _ body: (SQLiteStatement) throws -> Result) throws -> Result {
        let statement = try idle.removeValue(forKey: text)?.statement ?? SQLiteStatement(text, session: self)
        defer { keep(statement, for: text) }
        return try body(statement)
    }

    private func keep(_ statement: SQLiteStatement, for text: String) {
        statement.reset()
        useCount += 1
        idle[text] = (statement, useCount)
        guard idle.count > statementCount, let oldest = idle.min(by: { $0.value.use < $1.value.use }) else { return }
        idle[oldest.key] = nil
    }

    /// Runs one statement and returns how many rows it changed.
    @discardableResult
    package func run(_ text: String, _ values: [SQLiteValue] = []) throws -> Int {
        try withStatement(text) { statement in
            try statement.bind(values)
            while try statement.step() {}
            return changeCount
        }
    }

    /// The first row of a result, as values.
    package func row(_ text: String, _ values: [SQLiteValue] = []) throws -> [SQLiteValue]? {
        try withStatement(text) { statement in
            try statement.bind(values)
            return try statement.step() ? statement.row : nil
        }
    }

    /// How many rows the last INSERT, UPDATE or DELETE changed.
    package var changeCount: Int { Int(sqlite3_changes(handle)) }
    /// How many rows were changed since the connection was opened.
    package var totalChangeCount: Int { Int(sqlite3_total_changes(handle)) }
    package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    // MARK: Limits

    /// Asks `interruption` every few thousand steps while a statement runs; when it says true, the statement fails with
    /// `interrupted`.
    ///
    /// `nil` asks no more.
    package func interrupt(when interruption: (() -> Bool)?) {
        self.interruption = interruption
        guard interruption != nil else {
            sqlite3_progress_handler(handle, 0, nil, nil)
            return
        }
        // The session outlives the handler: `finish` takes it away.
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_progress_handler(
            handle, 4000,
            { context in
                guard let context else { return 0 }
                let session = Unmanaged<SQLiteSession>.fromOpaque(context).takeUnretainedValue()
                return session.interruption?() == true ? 1 : 0
            }, context)
    }

    /// Whether `index` names a parameter: SQLite takes at most so many in one statement.
    package var parameterLimit: Int { Int(sqlite3_limit(handle, SQLITE_LIMIT_VARIABLE_NUMBER, -1)) }

    // MARK: Transactions

    package func begin(immediate: Bool) throws(SQLiteFailure) {
        try execute(immediate ? "BEGIN IMMEDIATE" : "BEGIN")
    }

    package func commit() throws(SQLiteFailure) {
        try execute("COMMIT")
    }

    /// Ends the transaction, if one is open.
    ///
    /// SQLite may have ended it itself, after a full disk for example.
    package func rollback() throws(SQLiteFailure) {
        if isInTransaction { try execute("ROLLBACK") }
    }

    // MARK: Ending

    /// Whether the connection is closed, or about to be: the handle must not be used then.
    private(set) var isFinished = false

    func finish() {
        guard !isFinished else { return }
        interrupt(when: nil)
        idle = [:]
        isFinished = true
    }

    /// Throws when `code` is an error.
    func check(_ code: Int32) throws(SQLiteFailure) {
        guard code != SQLITE_OK else { return }
        throw failure(code)
    }

    func failure(_ code: Int32) -> SQLiteFailure {
        let extended = sqlite3_extended_errcode(handle)
        let message = String(cString: sqlite3_errmsg(handle))
        // The connection's own code says more, when it is about the same.
        return SQLiteFailure(
            resultCode: extended & 0xFF == code & 0xFF ? extended : code, message: message, path: path)
    }
}
