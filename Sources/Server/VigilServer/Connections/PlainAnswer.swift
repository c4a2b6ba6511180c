import NIOCore
import NIOHTTP1
import VigilInterface
import VigilModel

/// An answer that is given where there is no request yet: to what cannot be read, and to one connection too many.
struct PlainAnswer {
    let status: HTTPResponseStatus
    let code: String
    let detail: String
    let retryAfterSeconds: Int?

    init(_ status: HTTPResponseStatus, _ code: String, _ detail: String, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.code = code
        self.detail = detail
        self.retryAfterSeconds = retryAfterSeconds
    }

    var parts: (HTTPResponseHead, ByteBuffer) {
        let body = ByteBuffer(
            string: JSONValue.object([
                "type": .string("/problems/\(code)"), "title": .string(status.reasonPhrase),
                "status": .integer(Int64(status.code)), "detail": .string(detail), "code": .string(code),
            ]).canonicalText)
        var headers: HTTPHeaders = [
            "Content-Type": "application/problem+json", "Content-Length": "\(body.readableBytes)",
            "Connection": "close",
        ]
        if let retryAfterSeconds { headers.add(name: "Retry-After", value: "\(retryAfterSeconds)") }
        return (HTTPResponseHead(version: .http1_1, status: status, headers: headers), body)
    }
}

extension TimeAmount {
    init(_ span: Span) { self = .microseconds(span.microseconds) }
}
