package import NIOCore
package import NIOHTTP1
import VigilInterface

/// Watches one connection: times, malformed requests, and its end at shutdown.
///
/// It stands beside the codec, below the upgrade to a WebSocket, so that it also sees connections which never finish a
/// first request. All state belongs to the channel's event loop.
package final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    /// What ends a body whose client is too slow: answered with 408.
    package struct SlowBody: Error {}

    private let limits: ServerLimits
    /// Whether this connection is one too many.
    private let isSurplus: Bool
    private var requestsOpen = 0
    private var hadRequest = false
    private var isReadingBody = false
    private var isReadWanted = false
    private var isQuiescing = false
    private var waitingSince = NIODeadline.uptimeNanoseconds(0)
    private var bodyWindow = (start: NIODeadline.uptimeNanoseconds(0), bytes: 0)
    private var stalledSince: NIODeadline?
    private var timer: Scheduled<Void>?

    package init(limits: ServerLimits, isSurplus: Bool) {
        self.limits = limits
        self.isSurplus = isSurplus
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    // MARK: Requests and answers

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            requestsOpen += 1
            hadRequest = true
            isReadingBody = true
            bodyWindow = (context.eventLoop.now, 0)
            if let plain = Self.withoutForeignUpgrade(head) {
                context.fireChannelRead(wrapInboundOut(.head(plain)))
                return
            }
        case .body(let bytes): bodyWindow.bytes += bytes.readableBytes
        case .end: isReadingBody = false
        }
        context.fireChannelRead(data)
    }

    /// The request without its wish to become something that we do not offer (`h2c`), which is a wish only: the upgrade
    /// handler would take every such request for its own.
    private static func withoutForeignUpgrade(_ head: HTTPRequestHead) -> HTTPRequestHead? {
        let wished = head.headers["upgrade"]
        guard !wished.isEmpty else { return nil }
        let path = head.uri.prefix { $0 != "?" }
        if path == LiveRoutes.path, head.method == .GET, wished.map({ $0.lowercased() }) == ["websocket"] { return nil }
        var plain = head
        plain.headers.remove(name: "Upgrade")
        return plain
    }

    package func read(context: ChannelHandlerContext) {
        isReadWanted = true
        context.read()
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReadWanted = false
        context.fireChannelReadComplete()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else {
            context.write(data, promise: promise)
            return
        }
        requestsOpen = max(0, requestsOpen - 1)
        waitingSince = context.eventLoop.now
        guard isQuiescing, requestsOpen == 0 else {
            context.write(data, promise: promise)
            return
        }
        context.writeAndFlush(data, promise: promise)
        context.close(promise: nil)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalledSince = context.channel.isWritable ? nil : context.eventLoop.now
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        isQuiescing = true
        if requestsOpen == 0 { context.close(promise: nil) }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, requestsOpen == 0 else {
            context.fireErrorCaught(error)
            return
        }
        let isTooLarge = error as? HTTPParserError == .headerOverflow
        answerAndClose(
            context,
            isTooLarge
                ? PlainAnswer(.requestHeaderFieldsTooLarge, "request.headers", "The header fields are too large.")
                : PlainAnswer(.badRequest, "request.malformed", "This is not an HTTP request."))
    }

    // MARK: Times

    private func begin(_ context: ChannelHandlerContext) {
        waitingSince = context.eventLoop.now
        if isSurplus {
            answerAndClose(
                context,
                PlainAnswer(
                    .serviceUnavailable, "server.connections", "The server has as many connections as it takes.",
                    retryAfterSeconds: 5))
            return
        }
        if timer == nil { schedule(context) }
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .init(limits.tick)) {
            let (handler, context) = loopBound.value
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let now = context.eventLoop.now
        if let stalledSince, now - stalledSince > .init(limits.writeTimeout) {
            context.close(promise: nil)
            return
        }
        if requestsOpen == 0, now - waitingSince > .init(hadRequest ? limits.idleTimeout : limits.headTimeout) {
            context.close(promise: nil)
            return
        }
        if isReadingBody { lookAtBody(context, now) }
        schedule(context)
    }

    /// Only while we want to read: a handler of ours that is slow is no fault of the client.
    private func lookAtBody(_ context: ChannelHandlerContext, _ now: NIODeadline) {
        guard isReadWanted else {
            bodyWindow = (now, 0)
            return
        }
        guard now - bodyWindow.start > .init(limits.bodyTimeout) else { return }
        if bodyWindow.bytes < limits.bodyRateBytes {
            isReadingBody = false
            context.fireErrorCaught(SlowBody())
        } else {
            bodyWindow = (now, 0)
        }
    }

    private func answerAndClose(_ context: ChannelHandlerContext, _ answer: PlainAnswer) {
        let (head, body) = answer.parts
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            loopBound.value.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
