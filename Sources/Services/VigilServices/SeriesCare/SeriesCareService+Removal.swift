import VigilModel
package import VigilPorts

extension SeriesCareService {
    /// What was removed, or would be.
    package struct Removal: Codable, Sendable {
        package var series: Int
        package var samples: Int
        package var isDryRun: Bool
    }

    /// Removes the samples of some series in a range, for real; a dry run counts them.
    ///
    /// Vigil's own series are never among them.
    /// - Throws: `conflict` when a legal hold is on one of the series, wherever its readings lie.
    package func delete(
        _ selection: SeriesSelection, isDryRun: Bool, by principal: Principal
    ) async throws -> Removal {
        guard !selection.matchers.isEmpty else { throw ServiceError.invalid("match", "must name some series") }
        let scope = try principal.requiredScope()
        let tenant = try scope.requiredTenant()
        let selection = selection.ofPeople
        let removal = try await stores.series.removal(selection, in: scope)
        try await requireNoHold(on: removal.series, of: tenant)
        if isDryRun { return Removal(series: removal.series.count, samples: removal.samples, isDryRun: true) }
        let samples = try await stores.series.delete(selection, in: scope)
        let text = selection.matchers.filter { $0 != .notInternal }
            .map { "\($0.name)\($0.operation.rawValue)\($0.value)" }.joined(separator: ", ")
        let done = Removal(series: removal.series.count, samples: samples, isDryRun: false)
        try await record(done, of: String(text.prefix(200)), tenant, by: principal)
        return done
    }

    /// Removes every reading of the principal's tenant and gives the space back; a dry run counts them.
    ///
    /// People, places, rules and alerts stay.
    /// - Parameter confirmation: The tenant's code, as somebody typed it.
    /// - Throws: `conflict` when a legal hold is on one of the series.
    package func deleteAll(confirmation: String?, isDryRun: Bool, by principal: Principal) async throws -> Removal {
        let scope = try principal.requiredScope()
        let tenant = try scope.requiredTenant()
        let all = try await stores.series.removal(SeriesSelection([.notInternal]), in: scope)
        try await requireNoHold(on: all.series, of: tenant)
        var removal = Removal(series: all.series.count, samples: all.samples, isDryRun: true)
        if isDryRun { return removal }
        let code = try await stores.relational.read(in: scope) { transaction in
            try transaction.rows("SELECT code FROM tenants WHERE id = \(tenant)").first?.get("code", as: String.self)
        }
        guard let code, confirmation == code else {
            throw ServiceError.invalid("confirm", "must be the tenant's code", code: "series.confirm")
        }
        try await stores.series.deleteTenant(in: scope)
        removal.isDryRun = false
        try await record(removal, of: "*", tenant, by: principal)
        return removal
    }

    /// - Throws: `conflict` when a legal hold is on one of the series: what is held goes for nobody.
    private func requireNoHold(on series: [SeriesIdentity], of tenant: TenantID) async throws {
        let retention = try await ReadingRetention.load(stores, standards: [:], now: clock.now())
        let held = series.count { retention.isHeld(tenant, $0) }
        guard held > 0 else { return }
        throw ServiceError(
            .conflict, "retention.held", "A legal hold is on \(held) of these series: nothing was removed.")
    }

    private func record(
        _ removal: Removal, of series: String, _ tenant: TenantID, by principal: Principal
    ) async throws {
        let now = clock.now()
        let after: JSONValue = .object([
            "series": .integer(Int64(removal.series)), "samples": .integer(Int64(removal.samples)),
        ])
        try await stores.relational.write(in: SystemScope.tenant(tenant, "series care")) { transaction in
            try AuditTrail.record(
                AuditRecord(by: principal, tenant: tenant, "delete", "reading", series, after: after, at: now),
                in: transaction)
        }
    }
}

extension SeriesSelection {
    /// The same without what Vigil keeps for itself, whatever the matchers say.
    var ofPeople: SeriesSelection {
        var selection = self
        selection.matchers.append(.notInternal)
        return selection
    }
}

extension LabelMatcher {
    /// Holds for all but Vigil's own series, such as the journal of the ingest.
    static let notInternal = LabelMatcher(metricName, .notMatches, "(?s)__.*")
}
