package import NIOCore
package import NIOHTTP1
import NIOSSL
import VigilInterface
import VigilModel

/// Watches one connection: times, malformed requests, clients that went away, and its end.
///
/// An answer that is on its way is never cut by our own closing: that waits until the last byte is sent, or until the
/// client takes nothing of it.
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
    /// The requests that are without an answer's head, oldest first: whether each is of HTTP/1.0.
    private var waiting: [Bool] = []
    /// Whether the answer that is being written is one to HTTP/1.0.
    private var isPlainAnswer = false
    private var answersUnsent = 0
    /// How to close when all answers are sent, and whom to tell.
    private var closing: (mode: CloseMode, promises: [EventLoopPromise<Void>])?
    private var probe: Scheduled<Void>?
    /// Where we and the writing half of the codec stand.
    private var below: (own: ChannelHandlerContext, codec: ChannelHandlerContext)?
    private var end: Scheduled<Void>?

    package init(limits: ServerLimits, isSurplus: Bool) {
        self.limits = limits
        self.isSurplus = isSurplus
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if let codec = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self) {
            below = (context, codec)
        }
        if context.channel.isActive { begin(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        below = nil
        stopTimers()
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTimers()
        context.fireChannelInactive()
    }

    private func stopTimers() {
        for timer in [timer, probe, end] { timer?.cancel() }
        (timer, probe, end) = (nil, nil, nil)
    }

    // MARK: Requests and answers

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            requestsOpen += 1
            hadRequest = true
            isReadingBody = true
            bodyWindow = (context.eventLoop.now, 0)
            waiting.append(head.version == .http1_0)
            context.fireChannelRead(wrapInboundOut(.head(Self.plain(head))))
            return
        case .body(let bytes): bodyWindow.bytes += bytes.readableBytes
        case .end: isReadingBody = false
        }
        context.fireChannelRead(data)
    }

    /// The request without its wish to become something that we do not offer (`h2c`), which is a wish only: the upgrade
    /// handler would take every such request for its own.
    ///
    /// Whether the connection ends with it is written in one way, however the client said it.
    private static func plain(_ head: HTTPRequestHead) -> HTTPRequestHead {
        var plain = head
        // Who speaks HTTP/1.0 cannot know where an answer of unknown length ends unless the connection does.
        if head.version == .http1_0 || !head.isKeepAlive {
            plain.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        let wished = head.headers["upgrade"]
        guard !wished.isEmpty else { return plain }
        let path = head.uri.prefix { $0 != "?" }
        if path == LiveRoutes.path, head.method == .GET, wished.map({ $0.lowercased() }) == ["websocket"] {
            return head
        }
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
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            isPlainAnswer = waiting.isEmpty ? false : waiting.removeFirst()
            guard isPlainAnswer else { return context.write(data, promise: promise) }
            head.version = .http1_0
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head: context.write(data, promise: promise)
        case .body: context.write(data, promise: watched(promise, context))
        case .end: writeEnd(context, data, promise)
        }
    }

    /// Every piece that the system takes shows that the client still reads.
    private func watched(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void>
    {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        let loopBound = NIOLoopBound((self, context.eventLoop), eventLoop: context.eventLoop)
        promise.futureResult.whenSuccess {
            let (handler, loop) = loopBound.value
            if handler.stalledSince != nil { handler.stalledSince = loop.now }
        }
        return promise
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let sent = answered(context)
        sent.futureResult.cascade(to: promise)
        guard isQuiescing, requestsOpen == 0 else {
            context.write(data, promise: sent)
            return
        }
        context.writeAndFlush(data, promise: sent)
        close(context: context, mode: .all, promise: nil)
    }

    /// Notes that a request has its answer; returns what is to be told when the last byte of that is sent.
    private func answered(_ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        requestsOpen = max(0, requestsOpen - 1)
        waitingSince = context.eventLoop.now
        answersUnsent += 1
        let sent = context.eventLoop.makePromise(of: Void.self)
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in
            let (handler, context) = loopBound.value
            handler.answersUnsent -= 1
            handler.closeIfSent(context)
        }
        return sent
    }

    /// Sends a short answer to a request of HTTP/1.1 that somebody has written already, below the codec: head and body go
    /// out with one call, and nobody takes them apart on the way.
    package func writeWhole(_ answer: ByteBuffer) {
        guard let (context, codec) = below else { preconditionFailure("BUG: an answer comes before its connection") }
        if !waiting.isEmpty { waiting.removeFirst() }
        let sent = answered(context)
        codec.writeAndFlush(NIOAny(answer), promise: sent)
        if isQuiescing, requestsOpen == 0 { close(context: context, mode: .all, promise: nil) }
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input, answersUnsent > 0, context.channel.isActive else {
            context.close(mode: mode, promise: promise)
            return
        }
        let known = closing ?? (mode, [])
        closing = (known.mode == .all ? .all : mode, known.promises + [promise].compactMap { $0 })
        if stalledSince == nil { stalledSince = context.eventLoop.now }
    }

    private func closeIfSent(_ context: ChannelHandlerContext) {
        guard answersUnsent == 0, let (mode, promises) = closing else { return }
        closing = nil
        let done = context.eventLoop.makePromise(of: Void.self)
        for promise in promises { done.futureResult.cascade(to: promise) }
        context.close(mode: mode, promise: done)
    }

    /// Closes at once, also where the other side of TLS says no word any more.
    private func closeNow(_ context: ChannelHandlerContext) {
        if let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
            tls.close(promise: nil)
        } else {
            context.close(promise: nil)
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalledSince = context.channel.isWritable && closing == nil ? nil : context.eventLoop.now
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            quiesce(context)
            return
        }
        if event as? ChannelEvent == .inputClosed {
            scheduleProbe(context, in: ServerLimits.firstProbe)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func quiesce(_ context: ChannelHandlerContext) {
        isQuiescing = true
        if requestsOpen == 0 { close(context: context, mode: .all, promise: nil) }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        end = context.eventLoop.scheduleTask(in: .init(ServerLimits.stopGrace)) {
            let (handler, context) = loopBound.value
            handler.closeNow(context)
        }
    }

    /// Asks whether a client that sends nothing more is still there.
    ///
    /// A client that only ended its side and one that went away look alike until something is sent: who went answers
    /// that with a reset. `100 Continue` means nothing to a client that waits for its answer.
    private func scheduleProbe(_ context: ChannelHandlerContext, in span: Span) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        probe = context.eventLoop.scheduleTask(in: .init(span)) {
            let (handler, context) = loopBound.value
            guard context.channel.isActive, let isPlain = handler.waiting.first, !isPlain else { return }
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(handler.wrapOutboundOut(.head(head)), promise: nil)
            handler.scheduleProbe(context, in: handler.limits.tick)
        }
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
        boundSendBuffer(context)
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

    /// The system tells that bytes were taken only when a third of what it keeps of them has gone: with the megabytes that
    /// it keeps by itself a slow reader would look like one that stands still.
    private func boundSendBuffer(_ context: ChannelHandlerContext) {
        guard let socket = context.channel as? any SocketOptionProvider else { return }
        // Where it cannot be set the standard stays.
        _ = socket.unsafeSetSocketOption(level: .socket, name: .so_sndbuf, value: CInt(ServerLimits.sendBufferBytes))
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
            closeNow(context)
            return
        }
        if requestsOpen == 0, answersUnsent == 0, !isReadingBody,
            now - waitingSince > .init(hadRequest ? limits.idleTimeout : limits.headTimeout)
        {
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
