import VigilModel
package import VigilPorts

/// Takes readings in every form, makes them durable, and has them judged.
///
/// The way of a batch: decoded, devices found, handlers; appended to the series store together with its journal entry
/// (now it is durable); then rules, alerts, the outbox, the ingestion log and how far the tenant is, in one transaction;
/// then the bus. Where a batch changed nothing, that transaction may come a moment later and be shared with others. What a
/// crash leaves between the two is judged at the next start.
package final class IngestService: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let directory: DeviceDirectory
    let alerting: AlertingService
    let settings: IngestSettings
    let tenants: TenantIngests
    let fields: FieldCatalogue?
    let bytesInFlight: BytesInFlight
    /// Who hears the newest readings; `nil` when that is not known: then they always go over the bus.
    let audience: LiveAudience?

    package init(
        stores: Stores, clock: any TimeSource, directory: DeviceDirectory, alerting: AlertingService,
        fields: FieldCatalogue? = nil, audience: LiveAudience? = nil, settings: IngestSettings = IngestSettings()
    ) {
        self.audience = audience
        self.fields = fields
        self.stores = stores
        self.clock = clock
        self.directory = directory
        self.alerting = alerting
        self.settings = settings
        tenants = TenantIngests(stores: stores, clock: clock, directory: directory, settings: settings)
        bytesInFlight = BytesInFlight(limit: settings.bytesInFlightMax)
    }

    /// Resumes what a crash left, then takes care of what is left over from time to time, until the task is cancelled.
    package func run() async throws {
        while true {
            do {
                try await resumeAll()
                try await tenants.pruneJournals()
            } catch let error as StoreError where error.mayBeTriedAgain {
                // The next turn tries again.
            }
            try await clock.wait(for: .seconds(10))
        }
    }

    /// Judges again what was stored and not evaluated, for all tenants.
    package func resumeAll() async throws {
        let tenants = try await stores.relational.read(in: SystemScope.allTenants("ingest")) { transaction in
            try transaction.rows("SELECT tenant_id FROM ingest_progress").map {
                try $0.get("tenant_id", as: TenantID.self)
            }
        }
        for tenant in tenants {
            let ingest = await self.tenants.ingest(of: tenant)
            await resume(try await ingest.waitingEntries(), ingest: ingest)
        }
    }

    /// Judges entries of the journal; what fails is tried again later.
    func resume(_ entries: [JournalEntry], ingest: TenantIngest) async {
        for entry in entries {
            do {
                try await resume(entry, ingest: ingest)
            } catch {
                await ingest.postpone(entry.number)
            }
        }
    }

    /// Judges one entry of the journal from the store.
    private func resume(_ entry: JournalEntry, ingest: TenantIngest) async throws {
        var work = EvaluationWork()
        var heard: Set<DeviceID> = Set(entry.devices ?? [])
        if let first = entry.first, let last = entry.last, entry.devices?.isEmpty != true {
            let scope = SystemScope.tenant(ingest.tenant, "ingest")
            let range = TimeRange(Timestamp(microseconds: first), Timestamp(microseconds: last + 1))
            let series = try await stores.series.series(
                SeriesSelection([], devices: entry.devices.map { Set($0) }, range: range), in: scope)
            let metrics = Dictionary(grouping: series, by: \.device).mapValues { Set($0.map(\.metric)) }
            for identity in series where !identity.metric.hasPrefix("__") {
                guard let device = identity.device else { continue }
                heard.insert(device)
                let units = try await ingest.settleUnits(of: [device], reported: [:])
                let known = try await directory.entry(of: device, tenant: ingest.tenant)
                work.revisits.append(
                    EvaluationWork.Revisit(
                        device: known, identity: identity,
                        unit: units[device]?[identity.metric], from: range.start,
                        currentFrom: Timestamp(microseconds: entry.arrival) - alerting.settings.lateness,
                        evaluated: nil,
                        watchedAs: try await ingest.watchedAs(
                            identity.metric, of: known, beside: metrics[device] ?? [])))
            }
        }
        let last = entry.last.map { Timestamp(microseconds: $0) }
        let activity = last.map { last in heard.map { TenantIngest.Heard(device: $0, last: last) } }
        try await evaluate(work, entry: entry, heard: activity ?? [], ingest: ingest)
    }

    /// Has work judged, and writes what belongs to the batch in the same transaction.
    func evaluate(
        _ work: EvaluationWork, entry: JournalEntry, heard: [TenantIngest.Heard], ingest: TenantIngest
    ) async throws {
        let now = clock.now()
        let through = await ingest.evaluatedThrough(with: entry.number)
        let (due, isNews) = await ingest.dueActivity(heard, at: now)
        let tenant = ingest.tenant
        // That a device is heard again must be seen at once, and so must what was refused. Of very many devices it may be
        // seen a moment later: who sent for them would wait for a record of each.
        let mayWait =
            (!isNews || due.count > IngestSettings.newsMax) && entry.refused == 0 && work.revisits.isEmpty
        try await alerting.evaluate(work, tenant: tenant, mayWait: mayWait) { transaction in
            try IngestRecords.write(entry, activity: due, through: through, tenant: tenant, at: now, in: transaction)
        }
        await ingest.finish(entry.number)
    }
}

/// The ingest of each tenant that has sent something.
actor TenantIngests {
    private let stores: Stores
    private let clock: any TimeSource
    private let directory: DeviceDirectory
    private let settings: IngestSettings
    private var ingests: [TenantID: TenantIngest] = [:]
    private var inFlight = 0

    init(stores: Stores, clock: any TimeSource, directory: DeviceDirectory, settings: IngestSettings) {
        self.stores = stores
        self.clock = clock
        self.directory = directory
        self.settings = settings
    }

    func ingest(of tenant: TenantID) -> TenantIngest {
        if let known = ingests[tenant] { return known }
        let ingest = TenantIngest(
            tenant: tenant, stores: stores, clock: clock, directory: directory, settings: settings)
        ingests[tenant] = ingest
        return ingest
    }

    /// Takes journal entries away whose batches are judged.
    func pruneJournals() async throws {
        for ingest in Array(ingests.values) { try await ingest.pruneJournal() }
    }

    /// Lets `count` more readings in, unless too many are on their way.
    func admit(_ count: Int) throws(ServiceError) {
        guard inFlight == 0 || inFlight + count <= settings.inFlightMax else {
            throw ServiceError(
                .unavailable, "ingest.busy", "More readings are on their way than fit.", retryAfter: .seconds(1))
        }
        inFlight += count
    }

    func release(_ count: Int) { inFlight -= count }
}
