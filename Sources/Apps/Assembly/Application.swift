package import Logging
import ServiceLifecycle
import UnixSignals
package import VigilInterface
import VigilPorts
import VigilServer
import VigilServices

/// A server with everything behind it.
package struct Application: Sendable {
    private let settings: Settings
    private let logger: Logger

    package init(settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Serves until the process is told to stop.
    package func run() async throws {
        let pipeline = RequestPipeline(
            table: EndpointTable(Self.endpoints()),
            authenticator: Authenticator { _, _ in
                throw ServiceError(.unauthenticated, "auth.invalid", "The credential is not valid.")
            },
            limits: settings.limits, proxies: settings.proxies, rates: nil, clock: SystemTimeSource(),
            metrics: HTTPMetrics(), logger: logger)
        let server = VigilServer(
            listeners: [settings.listener], pipeline: pipeline, limits: settings.limits,
            logger: logger)
        let services = ServiceGroup(
            configuration: .init(services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await services.run()
    }

    /// Every endpoint, with the description of all of them.
    package static func endpoints() -> [Endpoint] {
        let endpoints = [OperationsRoutes.health(version: Version.current)]
        return endpoints + [OperationsRoutes.description(OpenAPIDocument(endpoints, version: Version.current).json)]
    }
}
