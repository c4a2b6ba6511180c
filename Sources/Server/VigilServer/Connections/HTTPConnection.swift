import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import VigilInterface

/// Serves the requests of one connection, one after the other.
struct HTTPConnection: Sendable {
    typealias Channel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// So much of an unread body is read and thrown away before the answer is given.
    static let skippedBodyBytes = 1 << 18
    /// The longest piece of an answer that is handed on at once: a client that takes this much is not standing still.
    static let pieceBytes = 1 << 16
    /// So much after it: a client that still sends would otherwise lose our answer.
    static let lingeringBodyBytes = 1 << 28

    let channel: Channel
    let facts: ConnectionFacts
    let pipeline: RequestPipeline
    let logger: Logger
    private let presence = ClientPresence()

    init(channel: Channel, facts: ConnectionFacts, pipeline: RequestPipeline, logger: Logger) {
        self.channel = channel
        self.facts = facts
        self.pipeline = pipeline
        self.logger = logger
    }

    func run() async {
        let presence = presence
        channel.channel.closeFuture.whenComplete { _ in presence.leave() }
        await withTaskExecutorPreference(LoopExecutor(channel.channel.eventLoop)) { await serveAll() }
    }

    private func serveAll() async {
        do {
            try await withTaskCancellationHandler {
                try await channel.executeThenClose { inbound, outbound in
                    let reader = InboundReader(inbound)
                    let writer = PartWriter(outbound, on: channel.channel.eventLoop)
                    while let (head, number) = try await reader.nextHead() {
                        guard try await serve(head, number, reader, writer) else { break }
                    }
                    outbound.finish()
                }
            } onCancel: {
                channel.channel.close(mode: .input, promise: nil)
            }
        } catch {
            // The client went away, or sent what is not HTTP: `ConnectionGuard` has answered that.
            logger.trace("connection ended", metadata: ["reason": "\(type(of: error))"])
        }
    }

    /// Answers one request.
    ///
    /// - Returns: Whether the connection can serve another.
    private func serve(
        _ head: HTTPRequest, _ number: Int, _ reader: InboundReader, _ outbound: PartWriter
    ) async throws -> Bool {
        let isExpecting = head.headerFields[.expect]?.lowercased() == "100-continue"
        let goAhead: @Sendable () async throws -> Void = {
            try await outbound.write(.head(HTTPResponse(status: .continue)))
        }
        let exchange = IncomingRequest(head: head, facts: facts, presence: presence) { limit, isGzip in
            try BodySource(
                reader, number: number, limit: limit, isGzip: isGzip, goAhead: isExpecting ? goAhead : nil)
        }
        var response = await pipeline.respond(to: exchange)
        let rest = try await rest(of: head, reader)
        let keeps = rest != .unusable && head.headerFields[.connection]?.lowercased() != "close"
        if !keeps { response.headers[.connection] = "close" }
        try await write(response, isHead: head.method == .head, to: outbound)
        guard rest == .none else { return try await reader.skipBody(limit: Self.lingeringBodyBytes) && keeps }
        return keeps
    }

    /// What of a request's body is left in the connection when it is answered.
    private enum Rest {
        case none
        /// It is read and thrown away behind the answer, and the connection serves on.
        ///
        /// Such an answer does not say `Connection: close`: a client that still sends would close at once, and some
        /// take their own closing for a failure and lose the answer with it.
        case readable
        case unusable
    }

    private func rest(of head: HTTPRequest, _ reader: InboundReader) async throws -> Rest {
        let (isBodyOver, hasEnded) = await reader.rest
        if hasEnded { return .unusable }
        if isBodyOver { return .none }
        // A client that waits to be told to go on, and was not, sends no body: only a new connection is certain.
        if head.headerFields[.expect] != nil { return .unusable }
        let declared = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        if declared > Self.lingeringBodyBytes { return .unusable }
        if declared > Self.skippedBodyBytes { return .readable }
        do {
            return try await reader.skipBody(limit: Self.skippedBodyBytes) ? .none : .readable
        } catch is ConnectionGuard.SlowBody {
            return .unusable
        }
    }

    private func write(_ response: Response, isHead: Bool, to outbound: PartWriter) async throws {
        var head = HTTPResponse(status: response.status, headerFields: response.headers)
        switch response.body {
        case .none:
            if response.status != .noContent, response.status != .notModified, head.headerFields[.contentLength] == nil
            {
                head.headerFields[.contentLength] = "0"
            }
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
        case .bytes(let bytes):
            head.headerFields[.contentLength] = "\(bytes.count)"
            if isHead {
                try await outbound.write(contentsOf: [.head(head), .end(nil)])
            } else if bytes.count <= Self.pieceBytes {
                try await outbound.write(contentsOf: [.head(head), .body(ByteBuffer(bytes: bytes)), .end(nil)])
            } else {
                try await outbound.write(.head(head))
                try await write(bytes[...], to: outbound)
                try await outbound.write(.end(nil))
            }
        case .stream(let pieces):
            try await outbound.write(.head(head))
            if !isHead {
                try await presence.whileHere {
                    // On the shared threads, where a task of its own runs: what makes the pieces may take long.
                    for try await piece in pieces { try await write(piece[...], to: outbound) }
                    // A stream that was left ends like one that is whole.
                    try Task.checkCancellation()
                }
            }
            try await outbound.write(.end(nil))
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, to outbound: PartWriter) async throws {
        var rest = bytes
        while !rest.isEmpty {
            try await outbound.write(.body(ByteBuffer(bytes: rest.prefix(Self.pieceBytes))))
            rest = rest.dropFirst(Self.pieceBytes)
        }
    }
}
