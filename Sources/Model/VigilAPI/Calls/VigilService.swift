/// Somewhere to send the calls of Vigil's interface: a folder opened in this process, or a server.
///
/// Everything that a program does with Vigil is an extension of this protocol, so it reads the same for both:
///
/// ```swift
/// try await vigil.write([Reading(device: "boiler", metric: "temperature", value: 71.5, unit: "degC")])
/// let hot = try await vigil.query("temperature > 70")
/// ```
public protocol VigilService: Sendable {
    /// Sends one call and gives the answer, also when it is a refusal.
    ///
    /// - Throws: ``VigilError`` when the other side cannot be reached.
    func send(_ call: Call) async throws -> Answer
}

/// One call of the HTTP interface.
public struct Call: Sendable {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    public var method: String
    /// The path without the query: `/api/devices`.
    public var path: String
    /// The items of the query, in order, not yet encoded.
    public var query: [(name: String, value: String)]
    /// The bytes of the body; empty for none.
    public var body: [UInt8]
    /// The media type of the body.
    public var contentType: String

    /// A call.
    public init(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [], body: [UInt8] = [],
        contentType: String = "application/json"
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.contentType = contentType
    }
}

/// What a call was answered.
public struct Answer: Sendable {
    /// The HTTP status.
    public let status: Int
    /// The body in pieces, as they come; may be read once.
    public let pieces: AsyncThrowingStream<[UInt8], any Error>

    /// An answer whose body comes in pieces.
    public init(status: Int, pieces: AsyncThrowingStream<[UInt8], any Error>) {
        self.status = status
        self.pieces = pieces
    }

    /// An answer whose body is there.
    public init(status: Int, bytes: [UInt8]) {
        self.status = status
        pieces = AsyncThrowingStream { continuation in
            continuation.yield(bytes)
            continuation.finish()
        }
    }

    /// The whole body.
    ///
    /// - Throws: ``VigilError`` with the code `client.too_large` past `limit` bytes.
    public func bytes(limit: Int = 256 << 20) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in pieces {
            guard all.count + piece.count <= limit else {
                throw VigilError(code: "client.too_large", message: "The answer is larger than \(limit) bytes.")
            }
            all += piece
        }
        return all
    }
}
