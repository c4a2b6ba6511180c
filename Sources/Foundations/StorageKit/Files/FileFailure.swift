/// Why a file was not read or written.
package struct FileFailure: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        case missing
        case exists
        /// The disk, or the user's share of it, is full.
        case full
        /// The file or the disk takes no writes.
        case readOnly
        /// The disk failed.
        ///
        /// What was written before the last successful sync is there; the rest may be.
        case inputOutput
        /// Another process holds it.
        case locked
        case other
    }

    package let code: Code
    /// What was tried: `write`, `sync`.
    package let operation: String
    package let path: String
    package let offset: Int64?
    /// The system's error number, 0 when there is none.
    package let errorNumber: Int32

    package init(_ code: Code, _ operation: StaticString, path: String, offset: Int64? = nil, errorNumber: Int32 = 0) {
        self.code = code
        self.operation = operation.description
        self.path = path
        self.offset = offset
        self.errorNumber = errorNumber
    }
}

extension FileFailure: CustomStringConvertible {
    package var description: String {
        let place = offset.map { " at \($0)" } ?? ""
        let number = errorNumber == 0 ? "" : " (error \(errorNumber))"
        return "\(operation) of \(path)\(place): \(code.sentence)\(number)"
    }
}

extension FileFailure.Code {
    /// For people.
    fileprivate var sentence: String {
        switch self {
        case .missing: "there is no such file"
        case .exists: "it is there already"
        case .full: "the disk is full"
        case .readOnly: "the disk is read-only, or the file belongs to somebody else"
        case .inputOutput: "the disk failed"
        case .locked: "another process holds it"
        case .other: "the system refused"
        }
    }
}
