package import HTTPTypes

extension HTTPField.Name {
    /// A name that is written in the source.
    package static func named(_ name: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name(name.description) else {
            preconditionFailure("BUG: \(name) is not the name of a header field")
        }
        return name
    }

    static let requestID = named("X-Request-ID")
    static let forwardedFor = named("X-Forwarded-For")
    static let forwardedProto = named("X-Forwarded-Proto")
    static let fetchSite = named("Sec-Fetch-Site")
    static let csrfToken = named("X-CSRF-Token")
    static let idempotencyKey = named("Idempotency-Key")
    static let idempotencyReplayed = named("Idempotency-Replayed")
    static let retryAfter = named("Retry-After")
    static let frameOptions = named("X-Frame-Options")
    static let referrerPolicy = named("Referrer-Policy")
    static let permissionsPolicy = named("Permissions-Policy")
    static let openerPolicy = named("Cross-Origin-Opener-Policy")
    static let resourcePolicy = named("Cross-Origin-Resource-Policy")
    static let originField = named("Origin")
    static let hostField = named("Host")
}
