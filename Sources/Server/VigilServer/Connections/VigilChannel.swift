import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket
import Synchronization
import VigilInterface
import VigilServices

/// Sets up the connections of a listener: HTTP/1.1, with the way over to a WebSocket at one path.
///
/// The upgrade is decided by the first request of a connection, as browsers send it. A request that may not be upgraded
/// gets the answer of every other request at its path: a problem that says why.
struct VigilChannel: ServerChildChannel {
    /// A connection once its first request has said what it is.
    enum Negotiated: Sendable {
        case http(HTTPConnection.Channel)
        case webSocket(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, LiveAdmission)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let negotiated: EventLoopFuture<Negotiated>
        let facts: ConnectionFacts
    }

    static let maximumFrameBytes = 1 << 16

    let transport: ConnectionFacts.Transport
    let pipeline: RequestPipeline
    let limits: ServerLimits
    let open: OpenConnections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let facts = ConnectionFacts(
            transport: transport,
            peerAddress: transport == .localSocket ? "local" : channel.remoteAddress?.ipAddress ?? "unknown")
        let isSurplus = open.add() > limits.connections
        channel.closeFuture.whenComplete { _ in open.remove() }
        return channel.eventLoop.makeCompletedFuture {
            let negotiated = try addHandlers(to: channel, facts: facts, isSurplus: isSurplus)
            return Value(channel: channel, negotiated: negotiated, facts: facts)
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http(let channel):
                await HTTPConnection(channel: channel, facts: value.facts, pipeline: pipeline, logger: logger).run()
            case .webSocket(let channel, let admission):
                await WebSocketConnection(
                    channel: channel, admission: admission, clock: pipeline.clock, logger: logger
                ).run()
            }
        } catch {
            value.channel.close(promise: nil)
        }
    }

    private func addHandlers(to channel: any Channel, facts: ConnectionFacts, isSurplus: Bool) throws
        -> EventLoopFuture<Negotiated>
    {
        let encoder = HTTPResponseEncoder(configuration: .init())
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderListSize = limits.headerBytes
        decoderLimits.maxHeaderFieldSize = limits.headerBytes
        decoderLimits.maxHeaderFieldCount = 200
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits))
        let watch = ConnectionGuard(limits: limits, isSurplus: isSurplus)
        let upgrade = NIOTypedHTTPServerUpgradeHandler(
            httpEncoder: encoder, extraHTTPHandlers: [decoder, watch],
            upgradeConfiguration: upgradeConfiguration(facts))
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder, watch, upgrade])
        return upgrade.upgradeResultFuture
    }

    private func upgradeConfiguration(_ facts: ConnectionFacts) -> NIOTypedHTTPServerUpgradeConfiguration<Negotiated> {
        let box = AdmissionBox()
        let upgrader = NIOTypedWebSocketServerUpgrader<Negotiated>(
            maxFrameSize: Self.maximumFrameBytes,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeFutureWithTask {
                    let request = try HTTPRequest(head, secure: facts.transport == .tls, splitCookie: false)
                    guard let admission = await pipeline.admitLive(request, facts) else {
                        try await refuse(request, facts, channel)
                        return nil
                    }
                    box.admission.withLock { $0 = admission }
                    return [:]
                }
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    guard let admission = box.admission.withLock({ $0 }) else {
                        preconditionFailure("BUG: a connection was upgraded that was not admitted")
                    }
                    return .webSocket(try NIOAsyncChannel(wrappingChannelSynchronously: channel), admission)
                }
            })
        return NIOTypedHTTPServerUpgradeConfiguration(upgraders: [upgrader]) { channel in
            channel.eventLoop.makeCompletedFuture {
                let handlers = channel.pipeline.syncOperations
                let watch = try handlers.handler(type: ConnectionGuard.self)
                try handlers.addHandlers(
                    QuickAnswers(pipeline: pipeline, facts: facts, watch: watch, loop: channel.eventLoop),
                    HTTP1ToHTTPServerCodec(secure: facts.transport == .tls))
                return .http(
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)))
            }
        }
    }
}

extension VigilChannel {
    /// Answers a request that may not become a WebSocket as the endpoint at its path does, and ends the connection:
    /// the upgrade handler has kept the request to itself.
    private func refuse(_ request: HTTPRequest, _ facts: ConnectionFacts, _ channel: any Channel) async throws {
        let incoming = IncomingRequest(head: request, facts: facts) { _, _ in
            throw ServiceError(.invalid, "live.body", "A request for a WebSocket has no body.")
        }
        let response = await pipeline.respond(to: incoming)
        var head = HTTPResponseHead(HTTPResponse(status: response.status, headerFields: response.headers))
        var body = ByteBuffer()
        if case .bytes(let bytes) = response.body { body.writeBytes(bytes) }
        head.headers.replaceOrAdd(name: "Content-Length", value: "\(body.readableBytes)")
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
        try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        channel.close(promise: nil)
    }
}

/// Carries the admission from the decision to upgrade to the upgraded connection.
private final class AdmissionBox: Sendable {
    let admission = Mutex<LiveAdmission?>(nil)
}

/// How many connections a server has.
final class OpenConnections: Sendable {
    private let number = Atomic<Int>(0)

    /// Counts one more, and returns how many there are with it.
    func add() -> Int { number.add(1, ordering: .relaxed).newValue }
    func remove() { number.subtract(1, ordering: .relaxed) }
    var count: Int { number.load(ordering: .relaxed) }
}
