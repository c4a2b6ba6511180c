import GzipKit
import NIOCore
import VigilInterface
import VigilServices

/// The body of one request: read on demand, unpacked, and ended with an error past its limit.
actor BodySource {
    private let reader: InboundReader
    private let number: Int
    private let limit: Int
    private let inflater: Inflater?
    /// Tells the client to go on, when it waits for that (`Expect: 100-continue`).
    private var goAhead: (@Sendable () async throws -> Void)?
    private var received = 0

    init(
        _ reader: InboundReader, number: Int, limit: Int, isGzip: Bool,
        goAhead: (@Sendable () async throws -> Void)? = nil
    ) throws(Inflater.Failure) {
        self.reader = reader
        self.number = number
        self.limit = limit
        inflater = isGzip ? try Inflater(limit: limit) : nil
        self.goAhead = goAhead
    }

    /// The next plain bytes, `nil` at the end.
    ///
    /// - Throws: `tooLarge` past the limit, before and after unpacking; `invalid` for what is not gzip.
    func next() async throws -> [UInt8]? {
        if let goAhead {
            self.goAhead = nil
            try await goAhead()
        }
        while let piece = try await reader.nextPiece(of: number) {
            received += piece.readableBytes
            guard received <= limit else { throw RequestBody.tooLarge(limit) }
            let bytes = Array(piece.readableBytesView)
            guard let inflater else { return bytes }
            let plain = try unpacked { () throws(Inflater.Failure) in try inflater.inflate(bytes) }
            if !plain.isEmpty { return plain }
        }
        if let inflater, received > 0 { try unpacked { () throws(Inflater.Failure) in try inflater.finish() } }
        return nil
    }

    private func unpacked<Result>(_ work: () throws(Inflater.Failure) -> Result) throws(ServiceError) -> Result {
        do {
            return try work()
        } catch {
            switch error {
            case .tooLarge: throw RequestBody.tooLarge(limit)
            case .malformed, .incomplete:
                throw ServiceError(.invalid, "request.gzip", "The body is not a whole gzip stream.")
            }
        }
    }
}

/// The pieces of a ``BodySource``, as handlers read them.
struct BodyPieces: AsyncSequence, Sendable {
    let source: BodySource

    func makeAsyncIterator() -> Iterator { Iterator(source: source) }

    struct Iterator: AsyncIteratorProtocol {
        let source: BodySource

        func next() async throws -> [UInt8]? { try await source.next() }
    }
}
