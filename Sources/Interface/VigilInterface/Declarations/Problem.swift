package import HTTPTypes
package import VigilServices

/// An error as RFC 9457 writes it, `application/problem+json`.
package struct Problem: Codable, Sendable {
    /// A URI reference for the kind of problem, made of the code: `/problems/device.code_taken`.
    package var type: String
    package var title: String
    package var status: Int
    package var detail: String
    /// The stable code, for programs.
    package var code: String
    package var errors: [FieldFault]?
    /// The request's identifier, to be found in the logs.
    package var instance: String?

    package init(_ error: ServiceError, instance: String? = nil) {
        let status = Self.status(of: error.kind)
        type = "/problems/\(error.code)"
        title = status.reasonPhrase
        self.status = status.code
        detail = error.message
        code = error.code
        errors = error.fields.isEmpty ? nil : error.fields
        self.instance = instance
    }

    package static func status(of kind: ServiceError.Kind) -> HTTPResponse.Status {
        switch kind {
        case .invalid: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict, .stale: .conflict
        case .tooLarge: .contentTooLarge
        case .tooMany: .tooManyRequests
        case .unavailable: .serviceUnavailable
        }
    }
}
