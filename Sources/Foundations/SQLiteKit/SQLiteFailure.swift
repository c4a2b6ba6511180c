import CSQLiteVFS
import GRDB
import GRDBSQLite

/// Why SQLite did not do what it was asked.
package struct SQLiteFailure: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// Another connection or process stands in the way; the transaction may be tried again.
        case busy
        case duplicate
        case reference
        case constraint
        case full
        case readOnly
        /// What was read is not what was written.
        case damaged
        case cannotOpen
        case inputOutput
        /// The interruption of the session asked to stop.
        case interrupted
        /// A value or a statement is larger than SQLite takes.
        case tooLarge
        /// The statement is wrong.
        case invalid
        case memory
        /// The connection was closed before.
        case closed
        /// The data-folder's rules were not kept: a bug.
        case misuse
    }

    package let code: Code
    /// SQLite's own sentence: names of tables and columns, never values.
    package let message: String
    /// SQLite's extended result code.
    package let resultCode: Int32
    /// The database, or the damaged file beside it.
    package let path: String
    /// Where in the file the damaged page or frame begins.
    package let offset: Int64?

    package init(_ code: Code, _ message: String, resultCode: Int32, path: String, offset: Int64? = nil) {
        self.code = code
        self.message = message
        self.resultCode = resultCode
        self.path = path
        self.offset = offset
    }
}

extension SQLiteFailure: CustomStringConvertible {
    package var description: String {
        let prefix = code == .damaged ? "DAMAGE: " : code == .misuse ? "BUG: " : ""
        return prefix + message + " (SQLite \(resultCode)) in " + path + (offset.map { " at offset \($0)" } ?? "")
    }
}

extension SQLiteFailure {
    init(resultCode: Int32, message: String, path: String) {
        let code = Code(resultCode: resultCode)
        var damage = vigil_damage()
        let isDamageKnown = vigil_vfs_take_damage(&damage) != 0
        if isDamageKnown, code == .damaged || code == .inputOutput || code == .cannotOpen {
            self.init(damage, resultCode: resultCode)
        } else {
            self.init(code, message, resultCode: resultCode, path: path)
        }
    }

    init(_ damage: vigil_damage, resultCode: Int32) {
        let path = withUnsafeBytes(of: damage.path) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let isLog = path.hasSuffix("-wal")
        self.init(
            .damaged,
            isLog ? "The log is not what was written and synced" : "A page is not what was written",
            resultCode: resultCode, path: path, offset: damage.offset)
    }

    init(_ error: any Error, path: String) {
        switch error {
        case let failure as SQLiteFailure: self = failure
        case let error as DatabaseError:
            self.init(resultCode: error.extendedResultCode.rawValue, message: error.message ?? "", path: path)
        default: self.init(.misuse, "An unexpected error", resultCode: SQLITE_INTERNAL, path: path)
        }
    }
}

extension SQLiteFailure.Code {
    init(resultCode: Int32) {
        // The extended codes that are macros of macros, which Swift does not import.
        let ioData = SQLITE_IOERR | 32 << 8
        let constraintForeignKey = SQLITE_CONSTRAINT | 3 << 8
        let constraintPrimaryKey = SQLITE_CONSTRAINT | 6 << 8
        let constraintTrigger = SQLITE_CONSTRAINT | 7 << 8
        let constraintUnique = SQLITE_CONSTRAINT | 8 << 8
        let constraintRowID = SQLITE_CONSTRAINT | 10 << 8
        switch resultCode {
        case ioData: self = .damaged
        case constraintForeignKey, constraintTrigger: self = .reference
        case constraintPrimaryKey, constraintUnique, constraintRowID: self = .duplicate
        default: self = Self(primary: resultCode & 0xFF)
        }
    }

    private init(primary: Int32) {
        switch primary {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: self = .busy
        case SQLITE_CONSTRAINT, SQLITE_MISMATCH: self = .constraint
        case SQLITE_FULL: self = .full
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: self = .readOnly
        case SQLITE_CORRUPT, SQLITE_NOTADB: self = .damaged
        case SQLITE_CANTOPEN: self = .cannotOpen
        case SQLITE_IOERR, SQLITE_NOLFS: self = .inputOutput
        case SQLITE_INTERRUPT, SQLITE_ABORT: self = .interrupted
        case SQLITE_TOOBIG, SQLITE_RANGE: self = .tooLarge
        case SQLITE_NOMEM: self = .memory
        case SQLITE_ERROR, SQLITE_SCHEMA: self = .invalid
        default: self = .misuse
        }
    }
}
