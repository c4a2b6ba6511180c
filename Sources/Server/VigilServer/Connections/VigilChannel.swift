import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Synchronization
import VigilInterface

/// Sets up the connections of a listener: HTTP/1.1.
struct VigilChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let http: HTTPConnection.Channel
        let facts: ConnectionFacts

        var channel: any Channel { http.channel }
    }

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
            Value(http: try addHandlers(to: channel, facts: facts, isSurplus: isSurplus), facts: facts)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await HTTPConnection(channel: value.http, facts: value.facts, pipeline: pipeline, logger: logger).run()
    }

    private func addHandlers(to channel: any Channel, facts: ConnectionFacts, isSurplus: Bool) throws
        -> HTTPConnection.Channel
    {
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderListSize = limits.headerBytes
        decoderLimits.maxHeaderFieldSize = limits.headerBytes
        decoderLimits.maxHeaderFieldCount = 200
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits))
        try channel.pipeline.syncOperations.addHandlers([HTTPResponseEncoder(configuration: .init()), decoder])
        try channel.pipeline.syncOperations.addHandlers([
            ConnectionGuard(limits: limits, isSurplus: isSurplus),
            HTTP1ToHTTPServerCodec(secure: facts.transport == .tls),
        ])
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
}

/// How many connections a server has.
final class OpenConnections: Sendable {
    private let number = Atomic<Int>(0)

    /// Counts one more, and returns how many there are with it.
    func add() -> Int { number.add(1, ordering: .relaxed).newValue }
    func remove() { number.subtract(1, ordering: .relaxed) }
    var count: Int { number.load(ordering: .relaxed) }
}
