import Foundation
package import HTTPTypes

/// What a handler answers, without the transport.
package struct Response: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        case stream(AsyncThrowingStream<[UInt8], any Error>)
    }

    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: Body

    package init(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static let noContent = Response(status: .noContent)

    /// A JSON answer.
    ///
    /// `version` becomes the ETag.
    package static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, version: Int? = nil
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var headers: HTTPFields = [.contentType: "application/json"]
        if let version { headers[.eTag] = "\"\(version)\"" }
        return Response(status: status, headers: headers, body: .bytes(Array(try encoder.encode(value))))
    }

    package static func text(
        _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(status: status, headers: [.contentType: type], body: .bytes(Array(text.utf8)))
    }

    package static func redirect(to location: String) -> Response {
        Response(status: .seeOther, headers: [.location: location])
    }
}

/// One page of a list, and where the next begins.
package struct Page<Item: Codable & Sendable>: Codable, Sendable {
    package var items: [Item]
    /// Pass it as `cursor` for the next page; absent on the last.
    package var next: String?

    package init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}
