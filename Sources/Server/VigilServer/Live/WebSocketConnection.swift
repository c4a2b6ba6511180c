import Foundation
import Logging
import NIOCore
import NIOWebSocket
import Synchronization
import VigilModel
import VigilPorts
import VigilServices

/// A listener's WebSocket: what the hub delivers goes out, what the client asks for goes to the hub.
struct WebSocketConnection: Sendable {
    typealias Channel = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    typealias Writer = NIOAsyncChannelOutboundWriter<WebSocketFrame>

    /// How often the client is asked whether it is there; two unanswered questions end the connection.
    static let pingInterval = Span.seconds(20)
    /// The client's session has ended: sign in again.
    static let revokedCode: UInt16 = 4401
    /// The client was too slow: connect again and resume.
    static let slowCode: UInt16 = 4408

    let channel: Channel
    let admission: LiveAdmission
    let clock: any TimeSource
    let logger: Logger

    func run() async {
        let underlying = channel.channel
        let hub = admission.hub
        do {
            let session = try await hub.open(admission.principal) { underlying.close(promise: nil) }
            do {
                try await channel.executeThenClose { inbound, outbound in
                    try await serve(session, inbound, outbound)
                }
            } catch {
                logger.trace("live connection ended", metadata: ["reason": "\(type(of: error))"])
            }
            await hub.close(session.id)
        } catch {
            underlying.close(promise: nil)
        }
    }

    private func serve(
        _ session: LiveSession, _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ outbound: Writer
    ) async throws {
        let unanswered = PingCount()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await deliver(session, outbound) }
            group.addTask { try await read(inbound, session, outbound, unanswered) }
            group.addTask { try await ping(outbound, unanswered) }
            // Whichever ends first ends the connection.
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private func deliver(_ session: LiveSession, _ outbound: Writer) async throws {
        for await delivery in session.deliveries {
            switch delivery {
            case .message(_, let json):
                try await outbound.write(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(bytes: json)))
            case .end(let ending):
                try await close(ending == .shutdown ? 1001 : Self.revokedCode, outbound)
                return
            }
        }
        try await close(Self.slowCode, outbound)
    }

    private func read(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>, _ session: LiveSession, _ outbound: Writer,
        _ unanswered: PingCount
    ) async throws {
        for try await frame in inbound {
            switch frame.opcode {
            case .text:
                guard frame.fin else { return try await close(1003, outbound) }
                guard try await handle(Array(frame.unmaskedData.readableBytesView), session) else {
                    return try await close(1003, outbound)
                }
            case .ping:
                try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
            case .pong: unanswered.reset()
            case .connectionClose: return try await close(1000, outbound)
            default: return try await close(1003, outbound)
            }
        }
    }

    /// Returns false for what is not a message of ours.
    private func handle(_ bytes: [UInt8], _ session: LiveSession) async throws -> Bool {
        guard let request = try? JSONDecoder().decode(LiveRequest.self, from: Data(bytes)) else { return false }
        switch request.type {
        case "subscribe":
            do {
                try await admission.hub.subscribe(
                    session.id, to: request.patterns ?? [], lastSequence: request.lastSequence)
            } catch let error as ServiceError where error.kind == .invalid {
                return false
            }
        case "ping": break
        default: return false
        }
        return true
    }

    private func ping(_ outbound: Writer, _ unanswered: PingCount) async throws {
        while unanswered.add() <= 2 {
            try await outbound.write(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()))
            try await clock.wait(for: Self.pingInterval)
        }
    }

    private func close(_ code: UInt16, _ outbound: Writer) async throws {
        var data = ByteBuffer()
        data.write(webSocketErrorCode: .init(codeNumber: Int(code)))
        try await outbound.write(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
        outbound.finish()
    }
}

/// What a client sends.
struct LiveRequest: Codable, Sendable {
    var type: String
    var patterns: [String]?
    var lastSequence: Int64?

    enum CodingKeys: String, CodingKey {
        case type
        case patterns
        case lastSequence = "last_sequence"
    }
}

/// How many pings the client has not answered.
final class PingCount: Sendable {
    private let number = Atomic<Int>(0)

    func add() -> Int { number.add(1, ordering: .relaxed).newValue }
    func reset() { number.store(0, ordering: .relaxed) }
}
