import VigilInterface
import VigilPorts
import VigilServer
import VigilServices

/// The services on their stores, and their endpoints.
struct Core: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let identity: IdentityService
    let directory: DeviceDirectory
    let alerting: AlertingService
    let ingest: IngestService
    let idempotency: IdempotencyService
    let hub: LiveHub
    let projector: Projector

    init(stores: Stores, clock: any TimeSource, key: MasterKey) {
        self.stores = stores
        self.clock = clock
        identity = IdentityService(stores: stores, clock: clock, key: key)
        directory = DeviceDirectory(stores: stores, clock: clock)
        alerting = AlertingService(stores: stores, clock: clock, directory: directory)
        ingest = IngestService(stores: stores, clock: clock, directory: directory, alerting: alerting)
        idempotency = IdempotencyService(stores: stores, clock: clock)
        hub = LiveHub(stores: stores, clock: clock)
        projector = Projector(stores: stores, clock: clock)
    }

    /// What the API offers.
    var api: [Endpoint] {
        var endpoints = [OperationsRoutes.health(version: Version.current)]
        endpoints += WriteRoutes.all(ingest) + ReadingRoutes.all(ingest)
        endpoints += RuleRoutes.all(alerting) + AlertRoutes.all(alerting)
        endpoints += LiveRoutes.endpoints(hub, clock: clock)
        endpoints.append(
            OperationsRoutes.description(OpenAPIDocument(endpoints, version: Version.current).json))
        return endpoints
    }

    /// Ends what is open, in the order that loses nothing.
    func close() async {
        await stores.series.close()
        await stores.relational.close()
    }
}
