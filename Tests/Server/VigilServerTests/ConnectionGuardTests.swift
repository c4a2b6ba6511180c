import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing
import VigilInterface
import VigilModel
import VigilServer

/// A connection whose clock is moved by hand.
@Suite struct ConnectionGuardTests {
    private final class Room {
        let channel = EmbeddedChannel()
        let limits: ServerLimits
        var closedWith: (any Error)?

        init(isSurplus: Bool = false, _ change: (inout ServerLimits) -> Void = { _ in }) throws {
            var limits = ServerLimits()
            change(&limits)
            self.limits = limits
            try channel.pipeline.syncOperations.addHandler(ConnectionGuard(limits: limits, isSurplus: isSurplus))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func pass(_ span: Span) { channel.embeddedEventLoop.advanceTime(by: .microseconds(span.microseconds)) }

        func head(_ method: HTTPMethod = .POST) throws {
            try channel.writeInbound(
                HTTPServerRequestPart.head(HTTPRequestHead(version: .http1_1, method: method, uri: "/")))
        }

        func body(_ bytes: Int) throws {
            try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(repeating: 1, count: bytes)))
        }

        func end() throws { try channel.writeInbound(HTTPServerRequestPart.end(nil)) }

        func answer() throws {
            try channel.writeOutbound(HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)))
            try channel.writeOutbound(HTTPServerResponsePart.end(nil))
        }

        /// The status of the answer that the guard gave by itself.
        func ownAnswer() throws -> HTTPResponseStatus? {
            while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
                if case .head(let head) = part { return head.status }
            }
            return nil
        }
    }

    @Test func `a client that sends no request is let go`() throws {
        let room = try Room()
        room.pass(.seconds(14))
        #expect(room.channel.isActive)
        room.pass(.seconds(10))
        #expect(!room.channel.isActive)
    }

    @Test func `a connection waits longer for the second request than for the first`() throws {
        let room = try Room()
        try room.head(.GET)
        try room.end()
        try room.answer()
        room.pass(.seconds(60))
        #expect(room.channel.isActive)
        room.pass(.seconds(25))
        #expect(!room.channel.isActive)
    }

    @Test func `a request that takes us long costs the client nothing`() throws {
        let room = try Room()
        try room.head(.GET)
        try room.end()
        room.pass(.minutes(10))
        #expect(room.channel.isActive)
    }

    @Test func `a body that drips is ended, and one that flows is not`() throws {
        let slow = try Room()
        try slow.head()
        slow.channel.read()
        var failure: (any Error)?
        for _ in 0..<10 where failure == nil {
            try slow.body(10)
            slow.channel.read()
            slow.pass(.seconds(5))
            do { try slow.channel.throwIfErrorCaught() } catch { failure = error }
        }
        #expect(failure is ConnectionGuard.SlowBody)

        let quick = try Room()
        try quick.head()
        for _ in 0..<20 {
            quick.channel.read()
            try quick.body(4096)
            quick.pass(.seconds(5))
        }
        try quick.channel.throwIfErrorCaught()
        #expect(quick.channel.isActive)
    }

    @Test func `one connection too many is told to come back`() throws {
        let room = try Room(isSurplus: true)
        #expect(try room.ownAnswer() == .serviceUnavailable)
        #expect(!room.channel.isActive)
    }

    @Test(arguments: [
        (HTTPParserError.headerOverflow, HTTPResponseStatus.requestHeaderFieldsTooLarge),
        (.invalidMethod, .badRequest),
    ])
    func `what is no request is answered once and the connection closed`(
        error: HTTPParserError, status: HTTPResponseStatus
    ) throws {
        let room = try Room()
        room.channel.pipeline.fireErrorCaught(error)
        #expect(try room.ownAnswer() == status)
        #expect(!room.channel.isActive)
    }

    @Test func `a stop lets the open request finish and closes the rest at once`() throws {
        let idle = try Room()
        idle.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!idle.channel.isActive)
        let busy = try Room()
        try busy.head(.GET)
        try busy.end()
        busy.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(busy.channel.isActive)
        try busy.answer()
        #expect(!busy.channel.isActive)
    }

    @Test func `who speaks HTTP 1 0 gets an answer of its kind, and the connection ends with it`() throws {
        let room = try Room()
        try room.channel.writeInbound(
            HTTPServerRequestPart.head(HTTPRequestHead(version: .http1_0, method: .GET, uri: "/")))
        guard case .head(let asked)? = try room.channel.readInbound(as: HTTPServerRequestPart.self) else {
            Issue.record("the request did not come through")
            return
        }
        #expect(asked.headers["connection"] == ["close"])
        try room.answer()
        guard case .head(let answered)? = try room.channel.readOutbound(as: HTTPServerResponsePart.self) else {
            Issue.record("the answer did not come through")
            return
        }
        #expect(answered.version == .http1_0)
    }

    @Test func `closing waits for an answer that is on its way, but not for ever`() throws {
        let room = try Room()
        try room.head(.GET)
        try room.end()
        room.channel.write(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)), promise: nil)
        room.channel.write(HTTPServerResponsePart.end(nil), promise: nil)
        room.channel.close(promise: nil)
        #expect(room.channel.isActive)
        room.channel.flush()
        #expect(!room.channel.isActive)

        let still = try Room()
        try still.head(.GET)
        try still.end()
        still.channel.write(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok)), promise: nil)
        still.channel.write(HTTPServerResponsePart.end(nil), promise: nil)
        still.channel.close(promise: nil)
        still.pass(.seconds(29))
        #expect(still.channel.isActive)
        still.pass(.seconds(10))
        #expect(!still.channel.isActive)
    }

    @Test func `a client that ended its side is asked whether it is there, until its answer begins`() throws {
        let room = try Room()
        try room.head(.GET)
        try room.end()
        room.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(try room.ownAnswer() == nil)
        room.pass(.seconds(1))
        #expect(try room.ownAnswer() == .continue)
        try room.answer()
        _ = try room.ownAnswer()
        room.pass(.seconds(20))
        #expect(try room.ownAnswer() == nil)
    }

    @Test func `a stop gives a long request some time only`() throws {
        let room = try Room()
        try room.head(.GET)
        try room.end()
        room.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        room.pass(.milliseconds(700))
        #expect(room.channel.isActive)
        room.pass(.milliseconds(200))
        #expect(!room.channel.isActive)
    }

    @Test func `an answer in one piece counts as an answer, and a connection that is to end waits for it`() throws {
        let channel = EmbeddedChannel()
        let watch = ConnectionGuard(limits: ServerLimits(), isSurplus: false)
        try channel.pipeline.syncOperations.addHandlers([HTTPResponseEncoder(), watch])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for _ in 0..<2 {
            try channel.writeInbound(
                HTTPServerRequestPart.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")))
            try channel.writeInbound(HTTPServerRequestPart.end(nil))
        }
        watch.writeWhole(ByteBuffer(string: "first"))
        #expect(try channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } == "first")
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(channel.isActive)
        watch.writeWhole(ByteBuffer(string: "second"))
        #expect(try channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } == "second")
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }
}

@Suite struct WholeAnswerTests {
    private func text(_ response: Response, _ body: String) -> String {
        String(buffer: WholeAnswer.bytes(response, Array(body.utf8), ByteBufferAllocator()))
    }

    @Test func `an answer says its status, its fields and the length of its body, once`() {
        let response = Response(headers: [.contentType: "text/plain", .contentLength: "7"])
        #expect(
            text(response, "a body")
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\na body")
        #expect(text(Response(status: .notFound), "").hasSuffix("\r\nContent-Length: 0\r\n\r\n"))
    }

    @Test(arguments: [HTTPResponse.Status.noContent, .notModified])
    func `an answer without a body says no length`(status: HTTPResponse.Status) {
        #expect(text(Response(status: status), "") == "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n\r\n")
    }
}
