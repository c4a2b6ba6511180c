import StorageKit
import VigilPorts

extension StoreError {
    /// What a failure of the file system means to those who see only the port.
    init(_ failure: FileFailure) {
        let details = ["file": failure.path, "operation": failure.operation, "error": String(failure.errorNumber)]
        switch failure.code {
        case .full: self.init(.full, "The disk is full", details: details)
        case .readOnly: self.init(.readOnly, "The disk takes no writes", details: details)
        case .locked: self.init(.locked, "Another process holds the file", details: details)
        case .missing, .exists, .inputOutput, .other:
            self.init(.unavailable, "A file cannot be used", details: details)
        }
    }
}
