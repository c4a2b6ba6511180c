package import VigilModel

/// Why a service did not do what it was asked: a kind, a stable code, and a sentence for people.
///
/// Sentences and codes are safe to show and to log: they never hold values that were sent, secrets, or the existence of
/// another tenant's things (which is always ``Kind/notFound``).
package struct ServiceError: Error, Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// The request is malformed, or a field has a wrong value.
        case invalid
        /// Nobody is signed in, or what was shown does not sign anybody in.
        case unauthenticated
        /// Signed in, but without the permission.
        case forbidden
        /// There is no such thing, or it is not the caller's to see.
        case notFound
        /// It stands against what is there: a code that is taken, a state that forbids it.
        case conflict
        /// The caller's version is not the current one.
        case stale
        /// The body is larger than the limit.
        case tooLarge
        /// Too often: try again after ``retryAfter``.
        case tooMany
        /// A store is away or full: try again after ``retryAfter``.
        case unavailable
    }

    package let kind: Kind
    /// Stable, in lower case with dots: `device.code_taken`.
    package let code: String
    package let message: String
    package let fields: [FieldFault]
    package let retryAfter: Span?

    package init(
        _ kind: Kind, _ code: StaticString, _ message: String, fields: [FieldFault] = [], retryAfter: Span? = nil
    ) {
        self.kind = kind
        self.code = code.description
        self.message = message
        self.fields = fields
        self.retryAfter = retryAfter
    }

    /// A wrong value of one field.
    package static func invalid(_ field: String, _ reason: String, code: StaticString = "request.invalid") -> Self {
        ServiceError(.invalid, code, "\(field) \(reason)", fields: [FieldFault(field: field, reason: reason)])
    }

    /// There is no such thing (or it is another tenant's).
    package static func notFound(_ what: StaticString) -> Self {
        ServiceError(.notFound, "not_found", "There is no such \(what.description).")
    }
}

/// What is wrong with one field or line of what was sent.
package struct FieldFault: Hashable, Sendable, Codable {
    /// The path of the field, `readings[3].value`.
    package let field: String
    /// The reason, to be read after the field: "must be a number".
    package let reason: String
    /// The line, from 1, for input of lines.
    package let line: Int?

    package init(field: String, reason: String, line: Int? = nil) {
        self.field = field
        self.reason = reason
        self.line = line
    }
}
