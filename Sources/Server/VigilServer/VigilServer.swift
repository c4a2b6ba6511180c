import Foundation
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
package import NIOPosix
import NIOSSL
import ServiceLifecycle

/// Serves the endpoints over its listeners until it is told to stop.
///
/// ```swift
/// let server = VigilServer(
///     listeners: [.tcp(host: "127.0.0.1", port: 8080)], pipeline: pipeline, limits: ServerLimits(), logger: logger)
/// try await server.run()
/// ```
///
/// A graceful shutdown ends the listeners, lets requests finish, and closes what is idle.
package struct VigilServer: Service {
    /// Where clients reach the server.
    package enum Listener: Sendable {
        case tcp(host: String, port: Int)
        case tls(host: String, port: Int, certificateFile: String, keyFile: String)
        /// A socket in the file system, for this machine's command line; its mode becomes 0600.
        case localSocket(path: String)
    }

    private let listeners: [Listener]
    private let pipeline: RequestPipeline
    private let limits: ServerLimits
    private let group: MultiThreadedEventLoopGroup
    private let logger: Logger
    private let onListening: @Sendable (Listener, Int?) async -> Void
    private let open = OpenConnections()

    /// - Parameters:
    ///   - onListening: Called for each listener when it takes connections, with its port.
    package init(
        listeners: [Listener], pipeline: RequestPipeline, limits: ServerLimits,
        group: MultiThreadedEventLoopGroup = .singleton, logger: Logger,
        onListening: @escaping @Sendable (Listener, Int?) async -> Void = { _, _ in }
    ) {
        self.listeners = listeners
        self.pipeline = pipeline
        self.limits = limits
        self.group = group
        self.logger = logger
        self.onListening = onListening
    }

    package func run() async throws {
        let services = try listeners.map { (try service(for: $0), $0) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (service, listener) in services {
                tasks.addTask {
                    do {
                        try await service.run()
                    } catch let error as IOError {
                        throw ListenFault(listener, error)
                    }
                }
            }
            // The first listener that fails ends the others: half a server would hold the folder and answer nobody.
            while try await tasks.next() != nil {}
        }
    }

    private func service(for listener: Listener) throws -> any Service {
        let address: BindAddress
        let transport: ConnectionFacts.Transport
        switch listener {
        case .tcp(let host, let port): (address, transport) = (.hostname(host, port: port), .tcp)
        case .tls(let host, let port, _, _): (address, transport) = (.hostname(host, port: port), .tls)
        case .localSocket(let path): (address, transport) = (.unixDomainSocket(path: path), .localSocket)
        }
        let channel = VigilChannel(transport: transport, pipeline: pipeline, limits: limits, open: open)
        let onRunning: @Sendable (any Channel) async -> Void = { bound in
            if case .localSocket(let path) = listener { chmod(path, 0o600) }
            await onListening(listener, bound.localAddress?.port)
        }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let configuration = ServerConfiguration(address: address, backlog: 1024)
        guard case .tls(_, _, let certificateFile, let keyFile) = listener else {
            return channel.server(
                configuration: configuration, onServerRunning: onRunning, eventLoopGroup: group, logger: quiet)
        }
        var tls = try Self.tls(certificateFile: certificateFile, keyFile: keyFile)
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        do {
            return try TLSChannel(channel, tlsConfiguration: tls).server(
                configuration: configuration, onServerRunning: onRunning, eventLoopGroup: group, logger: quiet)
        } catch let error where error is NIOSSLError || error is BoringSSLError {
            throw ListenFault(
                "server.tls.key: the key in \(keyFile) is not that of the certificate in \(certificateFile)")
        }
    }

    private static func tls(certificateFile: String, keyFile: String) throws -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
            guard !chain.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
        } catch {
            throw ListenFault(file: certificateFile, key: "server.tls.certificate", "no PEM file with a certificate")
        }
        do {
            let key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
            return .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        } catch {
            throw ListenFault(file: keyFile, key: "server.tls.key", "no PEM file with a private key")
        }
    }
}
