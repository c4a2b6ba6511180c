import HTTPTypes
import VigilInterface

/// A request as it came from a connection, before anything is known of it.
struct IncomingRequest: Sendable {
    let head: HTTPRequest
    let facts: ConnectionFacts
    /// Whether somebody still waits for the answer.
    var presence = ClientPresence()
    /// Where it leads, when whoever took it knows.
    var match: EndpointTable.Match?
    /// The whole body as it was sent, when whoever took it has read it.
    var collected: [UInt8]?
    /// Opens the body: the largest number of bytes, and whether it is packed.
    let body: @Sendable (_ limit: Int, _ isGzip: Bool) throws -> BodySource
}
