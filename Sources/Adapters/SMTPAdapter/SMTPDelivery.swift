import NIOCore
import NIOPosix
import NIOSSL
import VigilModel
package import VigilPorts

/// Hands letters to a mail server by SMTP (RFC 5321), one connection for each.
///
/// A letter is in safe hands when the server has said so after the last byte of it. Everything is bounded: the time, the
/// length of an answer, the number of its lines.
package struct SMTPDelivery: MailDelivery {
    private let settings: SMTPSettings
    private let clock: any TimeSource
    private let tls: NIOSSLContext?

    /// - Throws: `invalid` when the certificates that are to be trusted cannot be read.
    package init(_ settings: SMTPSettings, clock: any TimeSource) throws(StoreError) {
        self.settings = settings
        self.clock = clock
        guard settings.security != .none else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = settings.trustFile { configuration.trustRoots = .file(file) }
        do {
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw StoreError(.invalid, "The certificates for the mail server cannot be read")
        }
    }

    package func send(_ message: MailMessage) async throws(StoreError) {
        let sender = MailMessage.address(in: settings.from)
        guard Self.isAddress(message.to), Self.isAddress(sender) else {
            throw StoreError(.invalid, "An address of the letter is none that a mail server takes")
        }
        let id = Identifier<Named.Entry>(at: clock.now()).description
        let letter = message.letter(id: id, time: clock.now(), from: settings.from)
        do {
            try await deliver(letter, from: sender, to: message.to)
        } catch let error as StoreError {
            throw error
        } catch is NIOSSLError {
            throw StoreError(
                .unavailable, "The mail server is not the one that it should be: its certificate is not trusted")
        } catch {
            throw StoreError(.unavailable, "The mail server cannot be reached, or ended the connection")
        }
    }

    private func deliver(_ letter: String, from sender: String, to receiver: String) async throws {
        let channel = try await connect()
        // Whatever hangs, hangs no longer than this: the connection ends, and so does what waits for it.
        let end = channel.channel.eventLoop.scheduleTask(in: .seconds(Int64(settings.seconds))) {
            channel.channel.close(promise: nil)
        }
        defer { end.cancel() }
        let settings = settings
        let tls = tls
        try await channel.executeThenClose { inbound, outbound in
            var dialog = SMTPDialog(inbound.makeAsyncIterator(), outbound)
            try await dialog.greet()
            if settings.security == .starttls, let tls {
                try await dialog.startTLS()
                try await Self.secure(channel.channel, tls, host: settings.host)
                try await dialog.greetAgain()
            }
            if let user = settings.user, let password = settings.password {
                try await dialog.signIn(user, password)
            }
            try await dialog.send(letter, from: sender, to: receiver)
            // The letter is theirs now: how they say farewell changes nothing.
            try? await dialog.quit()
        }
    }

    private func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        let isSecure = settings.security == .tls
        let (tls, host) = (tls, settings.host)
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(Int64(min(10, settings.seconds))))
            .connect(host: host, port: settings.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if isSecure, let tls {
                        try channel.pipeline.syncOperations.addHandler(try Self.handler(tls, host))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Puts TLS between what was said plainly and what follows.
    private static func secure(_ channel: any Channel, _ tls: NIOSSLContext, host: String) async throws {
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(try handler(tls, host), position: .first)
        }.get()
    }

    private static func handler(_ tls: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        // A certificate for an address is checked against the connection's own.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
    }

    /// Whether this can stand between `<` and `>` without becoming a command.
    private static func isAddress(_ text: String) -> Bool {
        (3...254).contains(text.utf8.count) && text.contains("@")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
    }
}
