import VigilPorts

/// What went wrong between us and the server, before it becomes a ``StoreError``.
///
/// It holds names and codes only. The server's text is kept for statements that are wrong in themselves (class 42: it
/// quotes our own SQL), never for those that failed because of values.
struct PostgresFailure: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// The server answered with an error.
        case server
        /// The connection is gone, or cannot be made.
        case lost
        /// The server did not answer in time; the connection counts as gone.
        case silent
        /// The caller's task was cancelled.
        case cancelled
        /// Found before anything was sent.
        case local(StoreError)
    }

    let kind: Kind
    var state = ""
    var names: [String: String] = [:]

    /// Whether the same transaction may simply run again.
    var isSerialization: Bool {
        // 40001 serialization, 40P01 deadlock, 0A000 with a cached plan whose tables have changed.
        state == "40001" || state == "40P01" || names["reason"] == "plan"
    }

    var isConnectionLoss: Bool {
        switch kind {
        case .lost, .silent: true
        // The server is being shut down, is starting, or has just become a standby.
        case .server: ["57P01", "57P02", "57P03", "25006", "53300", "57P05"].contains(state) || state.hasPrefix("08")
        case .cancelled, .local: false
        }
    }

    /// The error of the port.
    var storeError: StoreError {
        var details = names
        if !state.isEmpty { details["sqlstate"] = state }
        switch kind {
        case .local(let error): return error
        case .lost: return StoreError(.unavailable, "The PostgreSQL server cannot be reached", details: details)
        case .silent: return StoreError(.timeout, "The PostgreSQL server did not answer in time", details: details)
        case .cancelled: return StoreError(.timeout, "The call was cancelled", details: details)
        case .server: return Self.error(state: state, details: details)
        }
    }

    private static func error(state: String, details: [String: String]) -> StoreError {
        switch state {
        case "23505", "23P01": return StoreError(.duplicate, "A unique key is taken", details: details)
        case "23503", "23001": return StoreError(.reference, "A reference does not hold", details: details)
        case "23502", "23514", "23000":
            return StoreError(.constraint, "A rule of the schema does not hold", details: details)
        case "40001", "40P01":
            return StoreError(.contention, "Transactions stood in each other's way", details: details)
        case "55P03": return StoreError(.contention, "A lock was not released in time", details: details)
        case "57014": return StoreError(.timeout, "The statement took longer than its limit", details: details)
        case "53100": return StoreError(.full, "The server's disk is full", details: details)
        case "25006": return StoreError(.readOnly, "The transaction or the server takes no writes", details: details)
        case "53300": return StoreError(.unavailable, "The server has no free connection", details: details)
        case "53400", "54000", "54001", "54011", "54023":
            return StoreError(.limit, "A limit of the server was passed", details: details)
        case "XX001", "XX002": return StoreError(.damaged, "The server found damage", details: details)
        case "28P01", "28000", "3D000":
            return StoreError(.unavailable, "The server refuses the login", details: details)
        case "42501" where details["reason"] == "row security":
            return StoreError(.internalFault, "A row of another tenant was written", details: details)
        default: break
        }
        switch state.prefix(2) {
        case "08", "57", "58", "53": return StoreError(.unavailable, "The server gave up", details: details)
        case "22": return StoreError(.constraint, "A value does not fit its column", details: details)
        case "23": return StoreError(.constraint, "A rule of the schema does not hold", details: details)
        case "40": return StoreError(.contention, "The transaction was rolled back", details: details)
        case "XX": return StoreError(.internalFault, "The server has an internal error", details: details)
        default: return StoreError(.invalid, "The statement cannot be run", details: details)
        }
    }
}
