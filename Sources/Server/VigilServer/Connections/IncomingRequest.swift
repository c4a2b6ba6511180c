import HTTPTypes

/// A request as it came from a connection, before anything is known of it.
struct IncomingRequest: Sendable {
    let head: HTTPRequest
    let facts: ConnectionFacts
    /// Opens the body: the largest number of bytes, and whether it is packed.
    let body: @Sendable (_ limit: Int, _ isGzip: Bool) throws -> BodySource
}
