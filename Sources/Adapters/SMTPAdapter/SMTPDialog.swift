import Foundation
import NIOCore
import VigilPorts

/// What is said to a mail server on one connection, and what it answers.
struct SMTPDialog {
    /// An answer of more bytes is none.
    private static let answerBytesMax = 16 * 1024

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ByteBuffer()
    /// What the server says that it can, in capitals.
    private var abilities: [String] = []

    init(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    // MARK: - The steps

    mutating func greet() async throws {
        _ = try await answer(to: "greeting", 220)
        try await greetAgain()
    }

    mutating func greetAgain() async throws {
        abilities = try await say("EHLO vigil.localdomain", 250).dropFirst().map { $0.uppercased() }
    }

    /// Asks for TLS; the caller puts it in.
    mutating func startTLS() async throws {
        guard abilities.contains("STARTTLS") else {
            throw StoreError(.unavailable, "The mail server offers no STARTTLS")
        }
        _ = try await say("STARTTLS", 220)
        // What came before TLS would be believed to have come through it.
        guard received.readableBytes == 0 else {
            throw StoreError(.unavailable, "The mail server spoke out of turn before TLS")
        }
    }

    mutating func signIn(_ user: String, _ password: String) async throws {
        let ways = abilities.first { $0.hasPrefix("AUTH ") }?.split(separator: " ").dropFirst() ?? []
        if ways.contains("PLAIN") {
            _ = try await say("AUTH PLAIN \(Self.base64("\0\(user)\0\(password)"))", 235, as: "AUTH")
        } else if ways.contains("LOGIN") {
            _ = try await say("AUTH LOGIN", 334, as: "AUTH")
            _ = try await say(Self.base64(user), 334, as: "AUTH")
            _ = try await say(Self.base64(password), 235, as: "AUTH")
        } else {
            throw StoreError(.unavailable, "The mail server offers no way to sign in that is known here")
        }
    }

    mutating func send(_ letter: String, from sender: String, to receiver: String) async throws {
        _ = try await say("MAIL FROM:<\(sender)>", 250, as: "MAIL")
        _ = try await say("RCPT TO:<\(receiver)>", 250, 251, as: "RCPT")
        _ = try await say("DATA", 354)
        // A line that is one dot would end the letter.
        let stuffed = letter.replacing("\r\n.", with: "\r\n..")
        _ = try await say((stuffed.hasPrefix(".") ? "." : "") + stuffed + ".", 250, as: "letter")
    }

    mutating func quit() async throws { _ = try await say("QUIT", 221) }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    // MARK: - Lines

    private mutating func say(_ line: String, _ codes: Int..., as step: String? = nil) async throws -> [String] {
        try await outbound.write(ByteBuffer(string: line + "\r\n"))
        return try await answer(to: step ?? String(line.prefix { $0 != " " }), codes)
    }

    private mutating func answer(to step: String, _ codes: Int...) async throws -> [String] {
        try await answer(to: step, codes)
    }

    /// The lines of an answer without their codes.
    ///
    /// - Throws: `invalid` when the server refuses for good, `unavailable` when it may be asked again.
    private mutating func answer(to step: String, _ codes: [Int]) async throws -> [String] {
        var lines: [String] = []
        var size = 0
        while true {
            let line = try await line()
            size += line.utf8.count
            guard line.utf8.count >= 3, let code = Int(line.prefix(3)), size <= Self.answerBytesMax else {
                throw StoreError(.unavailable, "The mail server's answer is none of SMTP", details: ["to": step])
            }
            lines.append(String(line.dropFirst(4)))
            if line.dropFirst(3).first == "-" { continue }
            guard codes.contains(code) else {
                throw StoreError(
                    code >= 500 && step != "AUTH" && step != "greeting" ? .invalid : .unavailable,
                    "The mail server refused", details: ["to": step, "code": "\(code)"])
            }
            return lines
        }
    }

    private mutating func line() async throws -> String {
        while true {
            if let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let count = end - received.readerIndex
                var text = received.readString(length: count) ?? ""
                received.moveReaderIndex(forwardBy: 1)
                if text.hasSuffix("\r") { text.removeLast() }
                return text
            }
            guard received.readableBytes <= Self.answerBytesMax else {
                throw StoreError(.unavailable, "The mail server's answer is none of SMTP")
            }
            guard let more = try await inbound.next() else {
                throw StoreError(.unavailable, "The mail server ended the connection, or took too long")
            }
            received.writeImmutableBuffer(more)
        }
    }
}
