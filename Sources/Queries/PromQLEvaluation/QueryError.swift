package import PromQL
package import VigilPorts

/// Why a query has no answer, told apart as the HTTP interface of Prometheus does.
package struct QueryError: Error, Sendable, Hashable {
    package enum Kind: String, Sendable {
        case badData = "bad_data"
        case execution
        case timeout
        case canceled
        /// The store is away.
        case unavailable
        case `internal`
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package init(_ error: SyntaxError) {
        self.init(.badData, error.description)
    }

    package init(_ error: StoreError) {
        switch error.code {
        case .invalid: self.init(.badData, error.description)
        case .limit: self.init(.execution, error.description)
        case .timeout: self.init(.timeout, error.description)
        case .unavailable, .contention, .locked: self.init(.unavailable, error.description)
        default: self.init(.internal, error.description)
        }
    }
}
