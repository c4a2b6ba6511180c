package import VigilModel
import VigilPorts

/// What retention took away, or would take away.
package struct RetentionReport: Codable, Sendable {
    package struct Item: Codable, Sendable {
        package var subject: RetentionSubject
        /// The tenant's UUID; absent for what belongs to the installation.
        package var tenant: TenantID?
        /// The rule that decides; absent where what Vigil brings holds.
        package var rule: EntryID?
        /// What is older than this is past its time; absent where nothing ends.
        package var before: Timestamp?
        /// How much: rows, readings or files, as ``unit`` says.
        package var count: Int
        /// rows, readings or files.
        package var unit: String
        /// There are more than were counted.
        package var isMore: Bool
        package var oldest: Timestamp?
        /// A legal hold keeps it.
        package var isHeld: Bool
        /// What happens to it: it goes, or it moves to the warm folder, or to the archive.
        package var fate: String
    }

    package var items: [Item]
    /// When it was looked at.
    package var time: Timestamp
}

extension RetentionService {
    /// Applies the rules of all tenants once, in bounded steps.
    @discardableResult
    package func sweep() async throws -> RetentionReport {
        var items: [RetentionReport.Item] = []
        let readings = try await sweepReadings(isDryRun: false)
        for tenant in try await tenants() {
            for item in Self.items(readings, of: tenant) {
                if item.fate == "goes" { try await note(item) }
                items.append(item)
            }
            items += try await sweep(tenant)
            try Task.checkCancellation()
        }
        items += try await sweep(nil)
        counts.add(items, at: clock.now())
        return RetentionReport(items: items, time: clock.now())
    }

    /// Applies the rules of the caller's tenant now.
    package func sweepNow(by principal: Principal) async throws -> RetentionReport {
        let tenant = try principal.requiredScope().requiredTenant()
        let readings = try await sweepReadings(isDryRun: false)
        // Readings lie in files of all tenants, so those of the others went too.
        for other in try await tenants() where other != tenant {
            let gone = Self.items(readings, of: other).filter { $0.fate == "goes" }
            for item in gone { try await note(item) }
            counts.add(gone, at: clock.now())
        }
        var items = Self.items(readings, of: tenant)
        for item in items where item.fate == "goes" { try await note(item) }
        items += try await sweep(tenant)
        if try await InstallationGuard(stores: stores).isRun(by: principal) { items += try await sweep(nil) }
        counts.add(items, at: clock.now())
        return RetentionReport(items: items, time: clock.now())
    }

    /// What the next turn would take away of the caller's tenant.
    package func preview(by principal: Principal) async throws -> RetentionReport {
        let tenant = try principal.requiredScope().requiredTenant()
        var items = Self.items(try await sweepReadings(isDryRun: true), of: tenant)
        items += try await preview(tenant)
        if try await InstallationGuard(stores: stores).isRun(by: principal) { items += try await preview(nil) }
        return RetentionReport(items: items, time: clock.now())
    }

    // MARK: - Tables

    private func sweep(_ tenant: TenantID?) async throws -> [RetentionReport.Item] {
        let rules = try await table(of: tenant)
        var items: [RetentionReport.Item] = []
        for table in tables where table.isOfTenants || tenant == nil {
            let decision = rules.decision(table.subject)
            guard let bound = bound(table, decision), !decision.isHeld else { continue }
            var item = Self.item(table.subject, tenant, decision, bound)
            for _ in 0..<settings.stepsMax {
                let limit = settings.stepRows
                let count = try await stores.relational.write(in: Self.everything) { transaction in
                    try table.remove(tenant, before: bound, limit: limit, in: transaction)
                }
                item.count += count
                item.isMore = count == limit
                if count < limit { break }
            }
            if item.count > 0 {
                try await note(item)
                items.append(item)
            }
        }
        if let tenant { items += try await sweepJournal(tenant, rules, removes: true) }
        return items
    }

    private func preview(_ tenant: TenantID?) async throws -> [RetentionReport.Item] {
        let rules = try await table(of: tenant)
        let (tables, countMax) = (tables, settings.countMax)
        var items = try await stores.relational.read(in: Self.everything) { [self] transaction in
            var items: [RetentionReport.Item] = []
            for table in tables where table.isOfTenants || tenant == nil {
                let decision = rules.decision(table.subject)
                guard let bound = bound(table, decision) else { continue }
                var item = Self.item(table.subject, tenant, decision, bound)
                let (count, oldest) = try table.count(tenant, before: bound, limit: countMax, in: transaction)
                guard count > 0 else { continue }
                (item.count, item.oldest, item.isMore) = (count, oldest, count == countMax)
                items.append(item)
            }
            return items
        }
        if let tenant { items += try await sweepJournal(tenant, rules, removes: false) }
        return items
    }

    /// Rows older than this go; an idempotency key has its end written down.
    private func bound(_ table: AgingTable, _ decision: RetentionTable.Decision) -> Timestamp? {
        if table.subject == .idempotency { return clock.now() }
        return decision.bounds.life.map { clock.now() - $0 }
    }

    private static func item(
        _ subject: RetentionSubject, _ tenant: TenantID?, _ decision: RetentionTable.Decision, _ bound: Timestamp?
    ) -> RetentionReport.Item {
        RetentionReport.Item(
            subject: subject, tenant: tenant, rule: decision.rule, before: bound, count: 0, unit: "rows",
            isMore: false, oldest: nil, isHeld: decision.isHeld, fate: decision.isHeld ? "stays" : "goes")
    }

    /// Writes down that something went that people might look for.
    private func note(_ item: RetentionReport.Item) async throws {
        switch item.subject {
        case .reading, .report, .audit, .chat: break
        case .ingest, .job, .journal, .outbox, .idempotency, .log: return
        }
        let now = clock.now()
        let after: JSONValue = .object([
            "count": .integer(Int64(item.count)), "unit": .string(item.unit),
            "before": item.before.map { .string($0.description) } ?? .null,
        ])
        try await stores.relational.write(in: Self.everything) { transaction in
            try AuditTrail.record(
                AuditRecord(
                    by: .system("retention"), tenant: item.tenant, "expire", item.subject.rawValue,
                    item.rule?.description ?? "", after: after, at: now), in: transaction)
        }
    }

    // MARK: - The journal of the ingest

    /// Takes away what the journal holds of batches that are evaluated.
    private func sweepJournal(
        _ tenant: TenantID, _ rules: RetentionTable, removes: Bool
    ) async throws -> [RetentionReport.Item] {
        let decision = rules.decision(.journal)
        // A store with tiers keeps the journal as any other series, by its class.
        guard tiers == nil, let life = decision.bounds.life, !decision.isHeld else { return [] }
        let evaluated = try await stores.relational.read(in: Self.everything) { transaction in
            try transaction.rows("SELECT evaluated_through FROM ingest_progress WHERE tenant_id = \(tenant)").first?
                .get("evaluated_through", as: Int64.self)
        }
        guard let evaluated else { return [] }
        // An entry's time is the number of its batch, which is when it arrived.
        let bound = min(clock.now() - life, Timestamp(microseconds: evaluated))
        let selection = SeriesSelection([.metric(JournalEntry.field)], range: TimeRange(.distantPast, bound))
        let scope = SystemScope.tenant(tenant, "retention")
        var item = Self.item(.journal, tenant, decision, bound)
        item.unit = "readings"
        if removes {
            item.count = try await stores.series.delete(selection, in: scope)
        } else {
            let cursor = try await stores.series.samples(selection, in: scope)
            while let piece = try await cursor.next() {
                item.oldest = item.oldest ?? piece.samples.first?.time
                item.count += piece.samples.count
            }
        }
        return item.count > 0 ? [item] : []
    }
}
