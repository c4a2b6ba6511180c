import Dashboard
import PromQLEvaluation
import SQLStores
import VigilInterface
import VigilModel
import VigilPorts
import VigilServer
import VigilServices

/// The services on their stores, and their endpoints.
struct Core: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let identity: IdentityService
    let directory: DeviceDirectory
    let registry: RegistryService
    let monitor: ConnectionMonitor
    let alerting: AlertingService
    let ingest: IngestService
    let fields: FieldCatalogue
    let query: QueryService
    let idempotency: IdempotencyService
    let hub: LiveHub
    let projector: Projector
    let readiness: Readiness
    let logs: LogService
    let system: SystemWatch
    let retention: RetentionService
    let search: SearchService
    let searchProjection: SearchProjection
    /// The data folder, where there is one to copy.
    let data: String?
    private let mapTiles: String?
    /// Where people reach this process, once it listens.
    private let address: @Sendable () -> String?

    init(
        stores: Stores, clock: any TimeSource, key: MasterKey, data: String? = nil,
        logLines: AsyncStream<LogService.Line> = AsyncStream { $0.finish() }, keepLogs: Span = .days(14),
        systemChecks: [SystemWatch.Check] = [], probes: [Readiness.Probe] = [], geometry: (any GeometryStore)? = nil,
        people: IdentitySettings = IdentitySettings(), ingest: IngestSettings = IngestSettings(),
        mapTiles: String? = nil,
        mail: (any MailDelivery)? = nil, address: @escaping @Sendable () -> String? = { nil }
    ) {
        self.address = address
        self.stores = stores
        self.clock = clock
        self.data = data
        self.mapTiles = mapTiles
        let identity = IdentityService(stores: stores, clock: clock, key: key, settings: people, mail: mail)
        self.identity = identity
        directory = DeviceDirectory(stores: stores, clock: clock)
        registry = RegistryService(
            stores: stores, clock: clock, secrets: SecretBox(key.derive("connection")), directory: directory)
        monitor = ConnectionMonitor(stores: stores, clock: clock, hooks: [MalfunctionAlerts()])
        alerting = AlertingService(stores: stores, clock: clock, directory: directory)
        fields = FieldCatalogue(stores: stores, clock: clock)
        let audience = LiveAudience()
        self.ingest = IngestService(
            stores: stores, clock: clock, directory: directory, alerting: alerting, fields: fields, audience: audience,
            settings: ingest)
        query = QueryService(stores: stores, clock: clock, directory: directory, alerting: alerting)
        idempotency = IdempotencyService(
            stores: stores, clock: clock, box: SecretBox(key.derive("idempotency")))
        let projector = Projector(stores: stores, clock: clock)
        self.projector = projector
        hub = LiveHub(stores: stores, clock: clock, projector: projector, audience: audience) {
            try await identity.current($0)
        }
        readiness = Readiness(stores: stores, clock: clock, further: probes)
        system = SystemWatch(stores: stores, clock: clock, checks: systemChecks + Self.checks(readiness))
        logs = LogService(stores: stores, clock: clock, lines: logLines)
        var retaining = RetentionSettings()
        retaining.standards[.log] = RetentionBounds(hot: .age(keepLogs))
        retention = RetentionService(stores: stores, clock: clock, settings: retaining)
        let words = SQLSearch(stores.relational)
        let places = geometry ?? Self.places(stores.relational)
        search = SearchService(stores: stores, search: words, geometry: places)
        searchProjection = SearchProjection(stores: stores, search: words, geometry: places, clock: clock)
    }

    private static func places(_ relational: any RelationalStore) -> any GeometryStore {
        #if GEOS
        SQLGeometry(relational)
        #else
        AbsentGeometry()
        #endif
    }

    private static func checks(_ readiness: Readiness) -> [SystemWatch.Check] {
        ["series", "jobs"].map { store in
            SystemWatch.Check("store.\(store)", .critical, title: "The store of \(store) is away or damaged") {
                await readiness.states().first { $0.store == store && $0.state != .ok }?.reason
            }
        }
    }

    /// What the API offers.
    ///
    /// - Parameter sources: What other parts of the process count.
    func api(metrics sources: [MetricsService.Source] = []) -> [Endpoint] {
        let hub = hub
        let sockets: MetricsService.Source = {
            [
                MetricFamily(
                    "vigil_live_listeners", "Open live connections.", .gauge, value: Double(await hub.count))
            ]
        }
        let metrics = MetricsService(
            stores: stores, clock: clock, readiness: readiness, version: Version.current,
            sources: sources + [sockets, { [retention] in retention.families }])
        var endpoints = [
            OperationsRoutes.health(version: Version.current), OperationsRoutes.ready(readiness),
            OperationsRoutes.metrics(metrics), OperationsRoutes.logs(logs),
            OperationsRoutes.inspection { [stores, clock] in
                try await StoreInspection.facts(of: stores, clock: clock)
            },
        ]
        if let data {
            let backup = Backup(stores: stores, clock: clock, data: data)
            endpoints.append(OperationsRoutes.backup { try await backup.make($0) })
        }
        endpoints += WriteRoutes.all(ingest) + ReadingRoutes.all(ingest)
        endpoints += RuleRoutes.all(alerting) + AlertRoutes.all(alerting)
        endpoints += QueryRoutes.all(query) + FieldRoutes.all(fields)
        endpoints += TrailRoutes.all(
            AuditList(stores: stores), IngestLog(stores: stores, alerting: alerting), JobService(stores: stores))
        endpoints +=
            PrometheusRoutes(
                PromQLEngine(store: stores.series, clock: clock, patterns: .re2), clock: clock, version: Version.current
            ).all
        endpoints += SignInRoutes.all(identity) + PeopleRoutes.all(identity, address: address)
        endpoints += PlaceRoutes.all(registry) + DeviceRoutes.all(registry)
        endpoints += SearchRoutes.all(search) + RetentionRoutes.all(retention)
        endpoints += SeriesCareRoutes.all(SeriesCareService(stores: stores, clock: clock))
        endpoints += LiveRoutes.endpoints(hub, clock: clock)
        let described = endpoints
        endpoints.append(
            OperationsRoutes.description { OpenAPIDocument(described, version: Version.current).json })
        return endpoints.map(actingLocally)
    }

    /// What the pages must know of the server.
    var pages: DashboardSettings { DashboardSettings(mapTiles: mapTiles) { request in request.csrfToken } }

    /// Everything that the server answers: the API and the pages that read it.
    func endpoints(metrics sources: [MetricsService.Source]) -> [Endpoint] {
        let api = api(metrics: sources)
        return api
            + Dashboard.endpoints(api: EndpointTable(api), settings: pages)
    }

    /// What goes on beside the requests, until it is cancelled.
    var loops: [(name: String, run: @Sendable () async throws -> Void)] {
        [
            ("projector", projector.run), ("search", searchProjection.run), ("live", hub.run),
            ("directory", directory.run),
            ("connections", monitor.run), ("ingest", ingest.run), ("logs", logs.run),
            ("rules", alerting.run), ("people", identity.run), ("system", system.run), ("fields", fields.run),
            ("retention", retention.run),
        ]
    }

    /// Lets the command line, which belongs to no tenant, act in the one that it names in the query.
    private func actingLocally(_ endpoint: Endpoint) -> Endpoint {
        endpoint.preparing { request in
            guard request.principal.subject == .local, request.principal.scope == nil,
                let tenant = request.queryValue("tenant")
            else { return request }
            var request = request
            request.principal = try await identity.localPrincipal(tenant: tenant)
            return request
        }
    }

    /// Ends what is open, in the order that loses nothing.
    func close() async {
        await fields.end()
        await alerting.settleAll()
        await stores.series.close()
        await stores.relational.close()
    }
}
