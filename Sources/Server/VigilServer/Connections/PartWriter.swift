import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Writes the parts of answers in the order in which it is called, from whichever threads.
///
/// NIO's writer hands a part to the connection at once when it is called on the connection's thread, and through a queue
/// when it is called on another, so a later part could overtake an earlier one. A handler, or a body that is made while it
/// is sent, leaves the connection's thread at any time.
struct PartWriter: Sendable {
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>
    private let loop: any EventLoop

    init(_ outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>, on loop: any EventLoop) {
        self.outbound = outbound
        self.loop = loop
    }

    func write(_ part: HTTPResponsePart) async throws {
        try await outbound.write(part)
        try await arrive()
    }

    func write(contentsOf parts: [HTTPResponsePart]) async throws {
        try await outbound.write(contentsOf: parts)
        try await arrive()
    }

    /// Goes through the queue behind what was written from another thread.
    private func arrive() async throws {
        if !loop.inEventLoop { try await loop.submit {}.get() }
    }
}
