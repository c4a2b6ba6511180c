import Foundation

/// Something that happened, as it happens.
public struct LiveMessage: Sendable, Hashable, Decodable {
    /// What happened: `alert.raised`, `device.state`, `readings.device.…`; `resync` asks to read everything again.
    public let type: String
    /// More of it.
    public let data: Value
    /// Where the stream stands; pass it as `after` when the stream is opened again.
    public let sequence: Int64
}

extension VigilService {
    /// What happens from now on, or from after a message that was heard before.
    ///
    /// The stream ends when the other side closes it, and the connection ends when the stream is let go.
    /// - Parameters:
    ///   - patterns: Types, or beginnings that end in `*`.
    ///   - after: The `sequence` of the last message that was heard.
    public func live(_ patterns: [String] = ["*"], after: Int64? = nil) async throws -> AsyncThrowingStream<
        LiveMessage, any Error
    > {
        var query = patterns.map { (name: "pattern", value: $0) }
        if let after { query.append((name: "last_sequence", value: String(after))) }
        let answer = try await send(Call("GET", "/api/live/events", query: query))
        guard answer.status == 200 else { throw try Self.refusal(answer.status, await answer.bytes(limit: 1 << 20)) }
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: LiveMessage.self, bufferingPolicy: .bufferingOldest(10_000))
        let work = Task {
            var events = ServerSentEvents()
            do {
                for try await piece in answer.pieces {
                    for data in try events.take(piece) {
                        let message = try JSONDecoder().decode(LiveMessage.self, from: Data(data))
                        // The answer to the subscription itself is not something that happened.
                        if message.type == "subscribed" { continue }
                        if case .dropped = continuation.yield(message) {
                            throw VigilError(code: "client.slow", message: "Live messages were not read in time.")
                        }
                    }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }
}

/// Cuts a stream of server-sent events into the data of its events.
///
/// Source: the WHATWG HTML standard, 9.2; only `data` lines matter here.
struct ServerSentEvents {
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private static let lineMax = 4 << 20

    /// The data of the events that `piece` completes.
    mutating func take(_ piece: [UInt8]) throws -> [[UInt8]] {
        var done: [[UInt8]] = []
        for byte in piece {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                guard line.count + data.count <= Self.lineMax else {
                    throw VigilError(code: "client.too_large", message: "A live message is larger than the limit.")
                }
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                if !data.isEmpty { done.append(data) }
                data.removeAll(keepingCapacity: true)
            } else if line.starts(with: Array("data:".utf8)) {
                if !data.isEmpty { data.append(UInt8(ascii: "\n")) }
                data += line.dropFirst(line.count > 5 && line[5] == UInt8(ascii: " ") ? 6 : 5)
            }
            line.removeAll(keepingCapacity: true)
        }
        return done
    }
}
