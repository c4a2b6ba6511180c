import Dashboard
import Logging
import ServiceLifecycle
import UnixSignals
import VigilInterface
import VigilModel
import VigilPorts
import VigilServer
import VigilServices

/// A server with everything behind it.
package struct Application: Sendable {
    private let settings: Settings
    private let journal: LogJournal
    private let logger: Logger
    private let served = ServedAddress()

    package init(settings: Settings, journal: LogJournal) {
        self.settings = settings
        self.journal = journal
        logger = journal.logger("vigil")
    }

    /// Opens the folder and serves until the process is told to stop.
    package func run() async throws {
        let folder = try DataFolder(settings.data)
        let clock = SystemClock()
        let stores = try await StoreFactory.open(folder, settings, clock: clock)
        let key = try await folder.masterKey(settings, stores)
        let mail = try Mail(settings, folder: folder, stores: stores, key: key, clock: clock, logger: logger)
        if settings.mail != nil, settings.people.publicAddress == nil {
            logger.warning("server.public_url is not set: links in letters are only paths")
        }
        let core = Core(
            stores: stores, clock: clock, key: key, data: settings.data, logLines: journal.lines,
            keepLogs: .days(Int64(settings.configuration.integer("log.keep_days"))),
            systemChecks: [DiskFacts.check(of: settings.data)], probes: [DiskFacts.probe(of: settings.data)],
            geometry: try await StoreFactory.geometry(on: stores.relational), people: settings.people,
            ingest: settings.ingest, mapTiles: settings.mapTiles, mail: mail.delivery,
            address: { [served] in served.text })
        if settings.configuration.required("stores.relational") == "postgresql" {
            logger.notice("tables are in PostgreSQL; readings and files are in the data folder")
        }
        for store in [stores.relational, stores.series] as [any Sendable] {
            for fact in (store as? any StoreInspecting)?.remarks ?? [] {
                logger.warning("\(fact.area) \(fact.name): \(fact.value)")
            }
            guard let damage = (store as? any StoreInspecting)?.knownDamage else { continue }
            logger.critical("\(damage); what is whole can be read, and nothing is written: see vigil doctor")
        }
        if try await !core.identity.hasUsers() {
            logger.notice(
                """
                nobody can sign in yet; make the first user with: vigil user create --data \(settings.data) \
                --tenant NAME --username NAME --role admin --password-stdin
                """)
        }
        let outcome: Result<Void, any Error>
        do {
            try await serve(core, folder, mail)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await core.close()
        try outcome.get()
    }

    private func serve(_ core: Core, _ folder: DataFolder, _ mail: Mail) async throws {
        let logger = logger
        let server = VigilServer(
            listeners: [settings.listener, .localSocket(path: folder.socket)], pipeline: pipeline(core),
            limits: settings.limits, logger: logger
        ) { [served] listener, port in
            served.note(listener, port: port)
            if case .localSocket = listener { return }
            logger.notice("serving", metadata: ["port": "\(port ?? 0)"])
        }
        // The group stops the last service first: listeners are let go, then the server ends, then the loops.
        let work = core.loops + (mail.work.map { [("mail", $0)] } ?? [])
        let loops = work.map {
            BackgroundWork(name: $0.name, logger: logger, clock: core.clock, work: $0.run) as any Service
        }
        let services: [any Service] = loops + [server, GracefulEnd { await core.hub.stop() }]
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .milliseconds(1500)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func pipeline(_ core: Core) -> RequestPipeline {
        var hooks = PipelineHooks()
        hooks.idempotency = KeptAnswers(core.idempotency)
        hooks.liveHub = core.hub
        hooks.pictures = core.pages.pictures
        hooks.lostPage = Dashboard.lostPage(api: EndpointTable([]), settings: core.pages)
        hooks.errorPage = Dashboard.errorPage(settings: core.pages)
        hooks.dataFolder = settings.data
        let metrics = HTTPMetrics()
        return RequestPipeline(
            table: EndpointTable(core.endpoints(metrics: [{ metrics.families() }])),
            authenticator: Authenticator { credential, address in
                try await core.identity.principal(for: credential, remoteAddress: address)
            },
            limits: settings.limits, proxies: settings.proxies, rates: core.stores.limits, clock: core.clock,
            metrics: metrics, logger: logger, hooks: hooks)
    }
}
