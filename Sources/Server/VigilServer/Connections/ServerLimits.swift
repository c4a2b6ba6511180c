package import VigilModel

/// What one server takes upon itself, and how long it waits.
package struct ServerLimits: Sendable, Hashable {
    /// Open connections; one more is answered 503 and closed.
    package var connections = 10_000
    /// Requests that are being worked on; one more is answered 503.
    package var requests = 1_024
    /// From the connection, or from the last byte of an answer, to the end of the next request's head.
    package var headTimeout: Span = .seconds(15)
    /// A connection that waits for another request.
    package var idleTimeout: Span = .seconds(75)
    /// A client that sends a body must bring ``bodyRateBytes`` in each stretch of this length.
    package var bodyTimeout: Span = .seconds(15)
    package var bodyRateBytes = 2_048
    /// A client that takes nothing of its answer for this long is left.
    package var writeTimeout: Span = .seconds(30)
    /// What the system keeps of an answer for a connection.
    package static let sendBufferBytes = 1 << 18
    /// A client that ended its side is asked this long after whether it is there, while it waits for its answer.
    package static let firstProbe: Span = .milliseconds(400)
    /// When the server stops, requests that are being worked on have this long to end.
    package static let stopGrace: Span = .milliseconds(800)
    /// How often the times above are looked at.
    package var tick: Span = .seconds(5)
    /// The longest request target, in bytes: 414 beyond.
    package var targetBytes = 16_384
    /// All header fields together, in bytes: 431 beyond.
    package var headerBytes = 32_768
    /// Calls per second of one address that shows no credential; 0 means any number.
    package var anonymousRequestsPerSecond = 200
    /// Calls per second of one principal; 0 means any number.
    package var principalRequestsPerSecond = 0
    /// Calls per second of everybody of one tenant; 0 means any number.
    package var tenantRequestsPerSecond = 0

    package init() {}
}
