import GzipKit
import HTTPTypes
import VigilInterface
import VigilServices

extension RequestPipeline {
    /// Refuses a body of the wrong form before a byte of it is read.
    ///
    /// - Throws: ``UnsupportedMedia`` for a JSON operation that is sent something else.
    func checkForm(of endpoint: Endpoint, _ headers: HTTPFields) throws {
        guard endpoint.body != nil, let type = headers[.contentType] else { return }
        let name = type.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard name == "application/json" || name.hasSuffix("+json") else {
            throw UnsupportedMedia(detail: "The body must be application/json.", accept: nil)
        }
    }

    /// The body within the endpoint's limit, unpacked when it is gzip.
    func body(of incoming: IncomingRequest, _ endpoint: Endpoint, _ headers: HTTPFields) throws -> RequestBody {
        let declared = headers[.contentLength].flatMap { Int($0) }
        guard declared != nil || headers[.transferEncoding] != nil else { return .empty }
        let encoding = headers[.contentEncoding]?.lowercased() ?? "identity"
        let isGzip = encoding == "gzip" || encoding == "x-gzip"
        // Remote write is always snappy: its handler unpacks it.
        guard isGzip || encoding == "identity" || encoding == "snappy" && endpoint.bodyMediaType != nil else {
            throw UnsupportedMedia(detail: "The body must be plain or gzip.", accept: "gzip")
        }
        if let declared, declared > endpoint.bodyLimit { throw RequestBody.tooLarge(endpoint.bodyLimit) }
        if let collected = incoming.collected, !isGzip { return RequestBody(bytes: collected) }
        let source = try incoming.body(endpoint.bodyLimit, isGzip)
        return RequestBody(BodyPieces(source: source), declaredLength: isGzip ? nil : declared)
    }
}

/// A body that this operation does not read: 415.
struct UnsupportedMedia: Error {
    let detail: String
    /// The content coding that would be taken.
    let accept: String?
}
