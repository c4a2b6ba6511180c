import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import VigilInterface
import VigilServices

/// Answers requests with no or a small body to quick endpoints where they come in.
///
/// On their way to the task of their connection and back, through two streams, they would spend more time than it takes to
/// answer them. Whatever else a client sends goes on to that task untouched, and nothing is taken while an answer of it is
/// on its way, so that answers keep the order of their requests. All state belongs to the channel's event loop.
final class QuickAnswers: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        /// A head came that is for us, and not yet its end; what has come of its body is in `collected`.
        case headed(HTTPRequestHead, EndpointTable.Match)
        case answering
    }

    /// What comes while we answer.
    private enum Held {
        case part(HTTPServerRequestPart)
        case event(Any)
        case error(any Error)
    }

    private let pipeline: RequestPipeline
    private let facts: ConnectionFacts
    private let executor: LoopExecutor
    private let watch: ConnectionGuard
    private let presence = ClientPresence()
    private var state = State.idle
    private var collected = ByteBuffer()
    /// Requests that went on and are without the end of their answer.
    private var passedOn = 0
    private var held: CircularBuffer<Held> = []
    private var isReadHeld = false
    /// Whether something went on since the last time that a reading was complete.
    private var hasNews = false

    /// - Parameter watch: That of the same connection.
    init(pipeline: RequestPipeline, facts: ConnectionFacts, watch: ConnectionGuard, loop: any EventLoop) {
        self.pipeline = pipeline
        self.facts = facts
        self.watch = watch
        executor = LoopExecutor(loop)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let presence = presence
        context.channel.closeFuture.whenComplete { _ in presence.leave() }
    }

    // MARK: - Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .answering = state {
            held.append(.part(unwrapInboundIn(data)))
        } else {
            take(unwrapInboundIn(data), context)
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (state, part) {
        case (.idle, .head(let head)):
            // A client that takes nothing gets no more answers ready: on the way behind us they wait for it.
            if passedOn == 0, context.channel.isWritable, let match = match(head) {
                state = .headed(head, match)
            } else {
                passedOn += 1
                pass(part, context)
            }
        case (.headed, .body(let piece)): collected.writeImmutableBuffer(piece)
        case (.headed(let head, let match), .end):
            state = .answering
            answer(head, takeCollected(), match, context)
        case (.headed, .head), (.idle, _), (.answering, _): pass(part, context)
        }
    }

    /// Lets go of a request that does not come to its end.
    private func passHeaded(_ context: ChannelHandlerContext) {
        guard case .headed(let head, _) = state else { return }
        state = .idle
        passedOn += 1
        pass(.head(head), context)
        let body = takeCollected()
        if body.readableBytes > 0 { pass(.body(body), context) }
        channelReadComplete(context: context)
    }

    private func takeCollected() -> ByteBuffer {
        defer { collected = ByteBuffer() }
        return collected
    }

    private func pass(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        hasNews = true
        context.fireChannelRead(wrapInboundOut(part))
    }

    /// The largest body that is collected here.
    private static let bodyBytesMax = 1 << 14

    /// Where a request leads that keeps its connection and is for a quick endpoint.
    private func match(_ head: HTTPRequestHead) -> EndpointTable.Match? {
        guard let method = Self.method(head.method), head.version == .http1_1,
            head.uri.utf8.first == UInt8(ascii: "/")
        else { return nil }
        for (name, value) in head.headers where Self.goesLongWay(name, value, method) { return nil }
        let path = head.uri.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(head.uri[..<$0]) } ?? head.uri
        let match = pipeline.table.match(method, path)
        guard case .found(let endpoint, _) = match, endpoint.quick != nil, endpoint.bodyLimit >= Self.bodyBytesMax
        else {
            return nil
        }
        return match
    }

    private static func method(_ method: HTTPMethod) -> HTTPRequest.Method? {
        switch method {
        case .GET: .get
        case .POST: .post
        default: nil
        }
    }

    private static func goesLongWay(_ name: String, _ value: String, _ method: HTTPRequest.Method) -> Bool {
        // Most fields have another length.
        switch name.utf8.count {
        case 6: name.lowercased() == "expect"
        case 7: name.lowercased() == "upgrade"
        case 10: name.lowercased() == "connection" && value.lowercased() != "keep-alive"
        case 14:
            name.lowercased() == "content-length"
                && (method != .post || Int(value).map { $0 > bodyBytesMax || $0 < 0 } ?? true)
        case 16: name.lowercased() == "content-encoding"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard hasNews else { return }
        hasNews = false
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .answering = state {
            held.append(.event(event))
        } else {
            passHeaded(context)
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .answering = state {
            held.append(.error(error))
        } else {
            passHeaded(context)
            context.fireErrorCaught(error)
        }
    }

    /// One request that waits behind ours is enough.
    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { isReadHeld = true }
    }

    // MARK: - Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { passedOn = max(0, passedOn - 1) }
        context.write(data, promise: promise)
    }

    private func answer(
        _ head: HTTPRequestHead, _ body: ByteBuffer, _ match: EndpointTable.Match, _ context: ChannelHandlerContext
    ) {
        let host = head.headers.first(name: "Host")
        var fields = HTTPFields(head.headers, splitCookie: false)
        // The pipeline looks for it there, and would copy them all to add it.
        if let host { fields.append(HTTPField(name: .hostField, value: host)) }
        let request = HTTPRequest(
            method: Self.method(head.method) ?? .get, scheme: facts.transport == .tls ? "https" : "http",
            authority: host, path: head.uri,
            headerFields: fields)
        let incoming = IncomingRequest(
            head: request, facts: facts, presence: presence, match: match, collected: Array(body.readableBytesView)
        ) { _, _ in
            throw ServiceError(.invalid, "request.body", "This body is not read in pieces.")
        }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        Self.work(on: incoming, pipeline, executor, context.eventLoop) { response, body in
            let (handler, context) = loopBound.value
            handler.finish(response, body, context)
        }
    }

    /// Answers on the connection's thread, and hands the answer over there.
    private static func work(
        on incoming: IncomingRequest, _ pipeline: RequestPipeline, _ executor: LoopExecutor, _ loop: any EventLoop,
        _ finish: @escaping @Sendable (Response, [UInt8]?) -> Void
    ) {
        Task(executorPreference: executor) {
            let response = await pipeline.respond(to: incoming)
            let body = await bytes(of: response.body)
            if loop.inEventLoop { finish(response, body) } else { loop.execute { finish(response, body) } }
        }
    }

    /// The whole body; `nil` where it broke off.
    ///
    /// Quick endpoints do not answer in pieces.
    private static func bytes(of body: Response.Body) async -> [UInt8]? {
        switch body {
        case .none: return []
        case .bytes(let bytes): return bytes
        case .stream(let pieces):
            var bytes: [UInt8] = []
            do {
                for try await piece in pieces { bytes += piece }
            } catch {
                return nil
            }
            return bytes
        }
    }

    private func finish(_ response: Response, _ body: [UInt8]?, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, let body else {
            context.close(promise: nil)
            return
        }
        if body.count <= HTTPConnection.pieceBytes {
            watch.writeWhole(WholeAnswer.bytes(response, body, context.channel.allocator))
        } else {
            write(response, body, context)
        }
        state = .idle
        goOn(context)
    }

    /// Writes a long answer in pieces, so that it is seen whether the client takes them.
    private func write(_ response: Response, _ body: [UInt8], _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders(response.headers)
        headers.replaceOrAdd(name: "Content-Length", value: String(body.count))
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(
                statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        var rest = ByteBuffer(bytes: body)
        while rest.readableBytes > 0 {
            guard let piece = rest.readSlice(length: min(HTTPConnection.pieceBytes, rest.readableBytes)) else { break }
            context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Takes what came meanwhile.
    private func goOn(_ context: ChannelHandlerContext) {
        guard !held.isEmpty else { return }
        while let next = held.popFirst() {
            switch next {
            case .part(let part): take(part, context)
            case .event(let event): userInboundEventTriggered(context: context, event: event)
            case .error(let error): errorCaught(context: context, error: error)
            }
            if case .answering = state { break }
        }
        channelReadComplete(context: context)
        if isReadHeld, held.isEmpty {
            isReadHeld = false
            context.read()
        }
    }
}

@available(*, unavailable)
extension QuickAnswers: Sendable {}
