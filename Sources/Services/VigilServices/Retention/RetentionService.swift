package import VigilModel
package import VigilPorts

/// Decides how long things are kept, and takes away what is past its time.
///
/// One table of rules for everything that ages. A loop applies it in bounded steps, so that nobody waits behind it; a legal
/// hold stops it for what it selects. What goes of readings, reports, the trail and chats is noted in the audit trail.
package final class RetentionService: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let settings: RetentionSettings
    let tables: [AgingTable]
    let counts = RetentionCounts()

    /// - Parameter tables: What ages in tables; packs add their own.
    package init(
        stores: Stores, clock: any TimeSource, settings: RetentionSettings = RetentionSettings(),
        tables: [AgingTable] = AgingTable.core
    ) {
        self.stores = stores
        self.clock = clock
        self.settings = settings
        self.tables = tables
    }

    /// Applies the rules from time to time until the task is cancelled.
    package func run() async throws {
        while true {
            do {
                _ = try await sweep()
            } catch let error as StoreError where error.mayBeTriedAgain {
                // The next turn tries again; what was done is done.
            }
            try await clock.wait(for: settings.interval)
        }
    }

    // MARK: - The table

    /// What holds for a tenant now; for `nil`, for what belongs to none.
    func table(of tenant: TenantID?) async throws -> RetentionTable {
        let rules = try await stores.relational.read(in: Self.everything) { transaction in
            let own: SQL = tenant.map { "OR tenant_id = \($0)" } ?? ""
            return try transaction.rows(
                "SELECT * FROM retention_rules WHERE tenant_id IS NULL \(own) ORDER BY id"
            ).map(RetentionRule.init(row:))
        }
        return RetentionTable(rules, standards: settings.standards)
    }

    func tenants() async throws -> [TenantID] {
        try await stores.relational.read(in: Self.everything) { transaction in
            try transaction.rows("SELECT id FROM tenants ORDER BY id").map { try $0.get("id") }
        }
    }

    static let everything = SystemScope.allTenants("retention")
}

/// The bounds of what retention does at once.
package struct RetentionSettings: Sendable {
    /// How often the rules are applied.
    package var interval = Span.minutes(15)
    /// Rows that one transaction takes away.
    package var stepRows = 1000
    /// Transactions for one subject of one tenant in one turn; the rest waits for the next.
    package var stepsMax = 200
    /// Rules that a tenant may have.
    package var rulesMax = 200
    /// Rows that a preview counts before it says "at least".
    package var countMax = 100_000
    /// What holds where no rule fits, where the configuration says something else than ``RetentionSubject/standard``.
    package var standards: [RetentionSubject: RetentionBounds] = [:]

    package init() {}
}

extension RetentionRule {
    init(row: SQLRow) throws {
        guard let subject = RetentionSubject(rawValue: try row.get("subject")) else {
            throw StoreError(.damaged, "A retention rule is about something unknown")
        }
        self.init(
            id: try row.get("id"), subject: subject, site: try row.optional("site_id"),
            profile: try row.optional("profile_id"), metric: try row.optional("metric"), hot: try row.optional("hot"),
            warm: try row.optional("warm"), archive: try row.optional("archive"),
            rollups: try RollupAges(row: row), legalHold: try row.get("legal_hold"), reason: try row.optional("reason"),
            version: try row.get("version"),
            createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"))
    }
}

extension RollupAges {
    /// `nil` when nothing is kept.
    init?(row: SQLRow) throws {
        self.init(
            minute: try row.optional("rollup_minute"), hour: try row.optional("rollup_hour"),
            day: try row.optional("rollup_day"))
        if bounds.isEmpty { return nil }
    }
}
