import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Reads one connection's requests, one part after the other.
///
/// An actor, because the body of a request is read by its handler while the connection waits for it: the two never read
/// at once, and the body of a request that is over gives nothing any more.
actor InboundReader {
    typealias Parts = NIOAsyncChannelInboundStream<HTTPRequestPart>

    private var iterator: Parts.AsyncIterator
    /// The number of the request whose body is being read, from 1.
    private(set) var requestNumber = 0
    /// Whether the body of the current request has been read to its end.
    private(set) var isBodyOver = true
    /// Whether nothing more will come: the client ended, or what it sent ended the connection.
    private(set) var hasEnded = false

    init(_ parts: Parts) {
        iterator = parts.makeAsyncIterator()
    }

    /// The head of the next request, `nil` when the client has ended.
    func nextHead() async throws -> (head: HTTPRequest, number: Int)? {
        while let part = try await nextPart() {
            if case .head(let head) = part {
                requestNumber += 1
                isBodyOver = false
                // A request without a body has come whole: nothing of it is left to be asked for.
                if !Self.hasBody(head) { _ = try await nextPiece(of: requestNumber) }
                return (head, requestNumber)
            }
        }
        return nil
    }

    private static func hasBody(_ head: HTTPRequest) -> Bool {
        head.headerFields[.contentLength] != nil || head.headerFields[.transferEncoding] != nil
    }

    /// What is left of the request that was read last.
    var rest: (isBodyOver: Bool, hasEnded: Bool) { (isBodyOver, hasEnded) }

    /// The next piece of the body of request `number`, `nil` at its end.
    func nextPiece(of number: Int) async throws -> ByteBuffer? {
        guard number == requestNumber, !isBodyOver else { return nil }
        guard let part = try await nextPart() else {
            isBodyOver = true
            throw ConnectionEnded()
        }
        switch part {
        case .body(let buffer): return buffer
        case .end, .head:
            isBodyOver = true
            return nil
        }
    }

    /// Reads what is left of the body without keeping it.
    ///
    /// - Returns: Whether no more than `limit` bytes were left.
    func skipBody(limit: Int) async throws -> Bool {
        var skipped = 0
        while let piece = try await nextPiece(of: requestNumber) {
            skipped += piece.readableBytes
            if skipped > limit { return false }
        }
        return true
    }

    private func nextPart() async throws -> HTTPRequestPart? {
        var current = iterator
        defer { iterator = current }
        do {
            let part = try await current.next(isolation: self)
            if part == nil { hasEnded = true }
            return part
        } catch {
            hasEnded = true
            throw error
        }
    }

    /// The client went away in the middle of a body.
    struct ConnectionEnded: Error {}
}
