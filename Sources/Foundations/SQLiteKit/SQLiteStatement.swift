import GRDBSQLite

/// A value of a column or a parameter.
package enum SQLiteValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
}

/// A prepared statement.
///
/// Parameters count from 1, columns from 0.
package final class SQLiteStatement {
    private let pointer: OpaquePointer
    private unowned let session: SQLiteSession
    /// The names of the columns, in lower case.
    package private(set) lazy var columnNames: [String] = (0..<sqlite3_column_count(pointer)).map { index in
        sqlite3_column_name(pointer, index).map { String(cString: $0).lowercased() } ?? ""
    }

    init(_ text: String, session: SQLiteSession) throws(SQLiteFailure) {
        var prepared: OpaquePointer?
        var isWhole = true
        let code = text.withCString { start in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(
                session.handle, start, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, &tail)
            // SQLite compiles the first statement and would forget the rest in silence.
            isWhole = tail.map { String(cString: $0).allSatisfy { $0.isWhitespace || $0 == ";" } } ?? true
            return code
        }
        try session.check(code)
        guard let prepared, isWhole else {
            sqlite3_finalize(prepared)
            throw SQLiteFailure(
                .invalid, "A text must hold exactly one statement", resultCode: SQLITE_MISUSE, path: session.path)
        }
        pointer = prepared
        self.session = session
    }

    deinit { sqlite3_finalize(pointer) }

    // MARK: Parameters

    package var parameterCount: Int { Int(sqlite3_bind_parameter_count(pointer)) }

    package func bind(_ values: [SQLiteValue]) throws(SQLiteFailure) {
        guard values.count == parameterCount else {
            throw SQLiteFailure(
                .invalid, "The count of values is not that of parameters", resultCode: SQLITE_RANGE, path: session.path)
        }
        for (index, value) in values.enumerated() { try bind(value, at: index + 1) }
    }

    package func bind(_ value: SQLiteValue, at index: Int) throws(SQLiteFailure) {
        let position = Int32(index)
        let code: Int32 =
            switch value {
            case .null: sqlite3_bind_null(pointer, position)
            case .integer(let value): sqlite3_bind_int64(pointer, position, value)
            case .real(let value): sqlite3_bind_double(pointer, position, value)
            case .text(let value): bind(text: value, at: position)
            case .bytes(let value): value.withUnsafeBytes { bind($0, at: position) }
            }
        try session.check(code)
    }

    /// Binds bytes, which are copied.
    package func bind(bytes: UnsafeRawBufferPointer, at index: Int) throws(SQLiteFailure) {
        try session.check(bind(bytes, at: Int32(index)))
    }

    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private func bind(text: String, at position: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { buffer in
            guard let start = buffer.baseAddress else { return sqlite3_bind_text(pointer, position, "", 0, nil) }
            return start.withMemoryRebound(to: CChar.self, capacity: buffer.count) { characters in
                sqlite3_bind_text64(
                    pointer, position, characters, UInt64(buffer.count), Self.transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    private func bind(_ bytes: UnsafeRawBufferPointer, at position: Int32) -> Int32 {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_zeroblob(pointer, position, 0) }
        return sqlite3_bind_blob64(pointer, position, start, UInt64(bytes.count), Self.transient)
    }

    // MARK: Rows

    /// Goes to the next row.
    ///
    /// Returns false at the end.
    package func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(pointer)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        let failure = session.failure(code)
        sqlite3_reset(pointer)
        throw failure
    }

    /// Runs the statement to its end, and makes it ready for other parameters.
    package func execute() throws(SQLiteFailure) {
        while try step() {}
        sqlite3_reset(pointer)
    }

    /// Makes it ready to run again, without parameters.
    package func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    package var columnCount: Int { Int(sqlite3_column_count(pointer)) }

    package var row: [SQLiteValue] { (0..<columnCount).map(value) }

    package func value(_ column: Int) -> SQLiteValue {
        switch sqlite3_column_type(pointer, Int32(column)) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(real(column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .bytes(withBytes(column) { Array($0) })
        default: .null
        }
    }

    package func isNull(_ column: Int) -> Bool { sqlite3_column_type(pointer, Int32(column)) == SQLITE_NULL }
    package func integer(_ column: Int) -> Int64 { sqlite3_column_int64(pointer, Int32(column)) }
    package func real(_ column: Int) -> Double { sqlite3_column_double(pointer, Int32(column)) }

    package func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(pointer, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(pointer, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Lends the bytes of a column without copying them, until the next step.
    package func withBytes<Result>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    {
        let start = sqlite3_column_blob(pointer, Int32(column))
        let count = start == nil ? 0 : Int(sqlite3_column_bytes(pointer, Int32(column)))
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }
}
