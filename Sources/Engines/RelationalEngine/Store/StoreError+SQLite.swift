import SQLiteKit
import VigilPorts

extension StoreError {
    /// What a failure of SQLite means to those who see only the port.
    init(_ failure: SQLiteFailure) {
        var details = ["file": failure.path, "result": String(failure.resultCode)]
        if let offset = failure.offset { details["offset"] = String(offset) }
        switch failure.code {
        case .busy: self.init(.contention, "The database is busy", details: details)
        case .duplicate: self.init(.duplicate, "A unique key is taken", details: ["constraint": failure.message])
        case .reference: self.init(.reference, "A reference does not hold", details: ["constraint": failure.message])
        case .constraint:
            self.init(.constraint, "A rule of the schema does not hold", details: ["constraint": failure.message])
        case .full: self.init(.full, "The disk is full", details: details)
        case .readOnly: self.init(.readOnly, "The database takes no writes", details: details)
        case .damaged: self.init(.damaged, "What was read is not what was written", details: details)
        case .cannotOpen, .inputOutput: self.init(.unavailable, "The database file cannot be used", details: details)
        case .interrupted: self.init(.timeout, "The statement took too long", details: details)
        case .tooLarge: self.init(.limit, "A value or a statement is too large", details: details)
        case .invalid: self.init(.invalid, "The statement is wrong", details: ["reason": failure.message])
        case .memory: self.init(.unavailable, "There is no memory for the statement", details: details)
        case .closed: self.init(.unavailable, "The database is closed")
        case .misuse:
            self.init(.internalFault, "SQLite was used against its rules", details: ["reason": failure.message])
        }
    }

    /// What a write transaction throws for `error`: a failure of SQLite in the port's words, everything else as it is.
    static func mapped(_ error: any Error) -> any Error {
        (error as? SQLiteFailure).map(StoreError.init) ?? error
    }

    /// As ``mapped(_:)``, but a write inside a read is the caller's mistake, not a read-only disk.
    static func mappedInRead(_ error: any Error) -> any Error {
        let error = mapped(error)
        guard let store = error as? StoreError, store.code == .readOnly else { return error }
        return StoreError(.invalid, "A read transaction does not write")
    }
}
