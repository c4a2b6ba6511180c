package import HTTPTypes
import VigilModel
package import VigilServices

/// What a handler gets: the request without its transport.
package struct Request: Sendable {
    package var method: HTTPRequest.Method
    /// The path without the query, percent-decoded where the template has a parameter.
    package var path: String
    /// The values of the path's parameters.
    package var pathValues: [String: String]
    /// The decoded query items, in order; a name may come more than once.
    package var query: [(name: String, value: String)]
    package var headers: HTTPFields
    package var body: RequestBody
    package var principal: Principal
    /// The address of the client, after trusted proxies.
    package var remoteAddress: String
    /// Whether the client speaks TLS with us or with a trusted proxy.
    package var isSecure: Bool
    /// For the logs and the `X-Request-ID` header.
    package var id: String
    /// What a page sends back as `X-CSRF-Token`; empty without a session cookie.
    package var csrfToken = ""

    package init(
        method: HTTPRequest.Method, path: String, pathValues: [String: String] = [:],
        query: [(name: String, value: String)] = [], headers: HTTPFields = [:], body: RequestBody = .empty,
        principal: Principal = .anonymous, remoteAddress: String = "local", isSecure: Bool = false, id: String = ""
    ) {
        self.method = method
        self.path = path
        self.pathValues = pathValues
        self.query = query
        self.headers = headers
        self.body = body
        self.principal = principal
        self.remoteAddress = remoteAddress
        self.isSecure = isSecure
        self.id = id
    }

    /// The value of a parameter of the path's template.
    package func pathValue(_ name: String) -> String {
        guard let value = pathValues[name] else {
            preconditionFailure("BUG: the path template has no parameter \(name)")
        }
        return value
    }

    /// The first query item of that name.
    package func queryValue(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    package func queryValues(_ name: String) -> [String] {
        query.filter { $0.name == name }.map(\.value)
    }

    /// A query item as a value.
    ///
    /// - Throws: `invalid` naming the item when its text is not such a value.
    package func queryValue<Value: LosslessStringConvertible>(_ name: String, as type: Value.Type)
        throws(ServiceError) -> Value?
    {
        guard let text = queryValue(name) else { return nil }
        guard let value = Value(text) else {
            throw .invalid(name, "is not \(Self.noun(for: type))", code: "request.query")
        }
        return value
    }

    /// The version in `If-Match`, which the caller believes to be the current one; `nil` without the header or with `*`.
    package func expectedVersion() throws(ServiceError) -> Int? {
        guard let header = headers[.ifMatch], header != "*" else { return nil }
        var text = header.hasPrefix("W/") ? header.dropFirst(2) : header[...]
        if text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        // Behind the version stands what else the answer held, which nobody changes: when a device was heard.
        guard let version = text.split(separator: ".").first.flatMap({ Int($0) }) else {
            throw .invalid("If-Match", "is not an ETag that this server gave out", code: "request.if_match")
        }
        return version
    }

    private static func noun(for type: Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is Bool.Type: "true or false"
        case is Timestamp.Type: "an RFC 3339 time"
        default: "a value of the expected form"
        }
    }
}

/// The bytes of a request, which may be read once.
package struct RequestBody: Sendable {
    /// The pieces as they arrive.
    ///
    /// The server ends them with an error past the endpoint's limit.
    package let pieces: any AsyncSequence<[UInt8], any Error> & Sendable
    /// `Content-Length`, when the client sent one.
    package let declaredLength: Int?

    package init(_ pieces: any AsyncSequence<[UInt8], any Error> & Sendable, declaredLength: Int?) {
        self.pieces = pieces
        self.declaredLength = declaredLength
    }

    package static let empty = RequestBody(bytes: [])

    package init(bytes: [UInt8]) {
        self.init(
            AsyncThrowingStream { continuation in
                if !bytes.isEmpty { continuation.yield(bytes) }
                continuation.finish()
            }, declaredLength: bytes.count)
    }

    /// All bytes.
    ///
    /// - Throws: `tooLarge` past `limit`; whatever ends the connection.
    package func collected(limit: Int) async throws -> [UInt8] {
        if let declaredLength, declaredLength > limit { throw Self.tooLarge(limit) }
        var bytes: [UInt8] = []
        for try await piece in pieces {
            guard bytes.count + piece.count <= limit else { throw Self.tooLarge(limit) }
            bytes += piece
        }
        return bytes
    }

    package static func tooLarge(_ limit: Int) -> ServiceError {
        ServiceError(.tooLarge, "request.too_large", "The body is larger than \(limit) bytes.")
    }
}
