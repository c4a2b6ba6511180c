package import VigilModel
import VigilPorts

/// What is known of places, for deciding how readings are kept.
struct ReadingRetention: Sendable {
    struct Place: Sendable {
        let site: SiteID?
        let profile: ProfileID?
    }

    var tables: [TenantID: RetentionTable] = [:]
    var places: [DeviceID: Place] = [:]
    /// Tenants with batches that are not evaluated and older than the journal is kept.
    var isBehind: Set<TenantID> = []

    /// Whether a rule of the tenant holds a series.
    func isHeld(_ tenant: TenantID, _ series: SeriesIdentity) -> Bool {
        let place = series.device.flatMap { places[$0] }
        return tables[tenant]?.decision(metric: series.metric, site: place?.site, profile: place?.profile).isHeld
            ?? false
    }

    /// How a series is kept.
    func decide(_ tenant: TenantID, _ series: SeriesIdentity) -> SeriesRetention {
        guard let table = tables[tenant] else { return .forever }
        if series.device == nil, series.metric == JournalEntry.field {
            let decision = table.decision(.journal)
            return SeriesRetention(decision.bounds, isHeld: decision.isHeld || isBehind.contains(tenant))
        }
        let place = series.device.flatMap { places[$0] }
        let decision = table.decision(metric: series.metric, site: place?.site, profile: place?.profile)
        return SeriesRetention(decision.bounds, rollups: decision.rollups, isHeld: decision.isHeld)
    }
}

extension ReadingRetention {
    /// What the rules of all tenants say now.
    static func load(
        _ stores: Stores, standards: [RetentionSubject: RetentionBounds], now: Timestamp
    ) async throws -> ReadingRetention {
        try await stores.relational.read(in: RetentionService.everything) { transaction in
            var known = ReadingRetention()
            let rules = try transaction.rows("SELECT * FROM retention_rules ORDER BY id").map { row in
                (try row.optional("tenant_id", as: TenantID.self), try RetentionRule(row: row))
            }
            for row in try transaction.rows("SELECT id FROM tenants ORDER BY id") {
                let tenant: TenantID = try row.get("id")
                known.tables[tenant] = RetentionTable(
                    rules.filter { $0.0 == nil || $0.0 == tenant }.map(\.1), standards: standards)
            }
            for row in try transaction.rows("SELECT tenant_id, evaluated_through FROM ingest_progress") {
                let tenant: TenantID = try row.get("tenant_id")
                guard let life = known.tables[tenant]?.decision(.journal).bounds.life else { continue }
                if try row.get("evaluated_through", as: Int64.self) < (now - life).microseconds {
                    known.isBehind.insert(tenant)
                }
            }
            // Only rules that tell places apart need to know them.
            let needs = rules.filter { $0.1.site != nil || $0.1.profile != nil }.compactMap(\.0)
            for tenant in Set(needs) {
                try transaction.forEachRow(
                    """
                    SELECT id, site_id, profile_id FROM devices
                    WHERE tenant_id = \(tenant) AND (site_id IS NOT NULL OR profile_id IS NOT NULL)
                    """
                ) { row in
                    known.places[try row.get("id")] = ReadingRetention.Place(
                        site: try row.optional("site_id"), profile: try row.optional("profile_id"))
                    return true
                }
            }
            return known
        }
    }
}

extension RetentionService {
    var tiers: (any SeriesTiering)? { stores.series as? any SeriesTiering }

    /// Tells the series store how each series is kept now.
    package func prepareReadings() async throws {
        guard let tiers else { return }
        let known = try await ReadingRetention.load(stores, standards: settings.standards, now: clock.now())
        tiers.keep { known.decide($0, $1) }
    }

    /// Moves and removes readings by their age, for all tenants.
    func sweepReadings(isDryRun: Bool) async throws -> [TierChange] {
        guard let tiers else { return [] }
        try await prepareReadings()
        return try await tiers.applyRetention(at: clock.now(), isDryRun: isDryRun)
    }

    /// What became of the readings of one tenant, tier by tier.
    static func items(_ changes: [TierChange], of tenant: TenantID) -> [RetentionReport.Item] {
        var items: [String: RetentionReport.Item] = [:]
        for change in changes {
            guard let count = change.samples[tenant], count > 0 else { continue }
            let stays = change.isHeld && change.to == .expired
            let fate =
                switch change.to {
                case .hot: "moves to the hot tier"
                case .warm: "moves to the warm tier"
                case .archive: "moves to the archive"
                case .expired: stays ? "stays" : "goes"
                }
            var item =
                items[fate]
                ?? RetentionReport.Item(
                    subject: .reading, tenant: tenant, rule: nil, before: change.range.end, count: 0, unit: "readings",
                    isMore: false, oldest: change.range.start, isHeld: false, fate: fate)
            item.count += count
            item.oldest = min(item.oldest ?? change.range.start, change.range.start)
            item.before = max(item.before ?? change.range.end, change.range.end)
            item.isHeld = item.isHeld || stays
            items[fate] = item
        }
        return items.values.sorted { $0.fate < $1.fate }
    }

    // MARK: - The archive

    /// What lies in the archive, for those who run the installation: its files hold readings of all tenants.
    package func archived(by principal: Principal) async throws -> [ArchiveView] {
        try await InstallationGuard(stores: stores).admit(principal)
        return try await tiers?.archived().map(ArchiveView.init) ?? []
    }

    /// Lets questions see a part of the archive, or ends that.
    package func attach(_ name: String, _ isAttached: Bool, by principal: Principal) async throws {
        try await InstallationGuard(stores: stores).admit(principal)
        guard let tiers, try await tiers.archived().contains(where: { $0.name == name }) else {
            throw ServiceError.notFound("part of the archive")
        }
        if isAttached { try await tiers.attach(name) } else { try await tiers.detach(name) }
        let now = clock.now()
        try await stores.relational.write(in: Self.everything) { transaction in
            try AuditTrail.record(
                AuditRecord(
                    by: principal, tenant: nil, isAttached ? "attach" : "detach", "archive", name, at: now),
                in: transaction)
        }
    }
}

/// A part of the archive, as the interface shows it.
package struct ArchiveView: Codable, Sendable {
    package var name: String
    /// The stretch of time that it may hold readings of.
    package var from: Timestamp
    package var to: Timestamp
    package var bytes: Int
    /// Whether questions see it.
    package var isAttached: Bool

    init(_ archived: ArchivedReadings) {
        name = archived.name
        from = archived.range.start
        to = archived.range.end
        bytes = archived.bytes
        isAttached = archived.isAttached
    }
}
