package import VigilModel
import VigilPorts

extension RetentionService {
    /// The rules of the scope's tenant, by subject, the most specific first; with those of the installation for who runs it.
    package func rules(_ subject: RetentionSubject? = nil, by principal: Principal) async throws -> [RetentionRule] {
        let (scope, tenant) = try Self.wholeTenant(of: principal)
        var rules = try await stores.relational.read(in: scope) { transaction in
            try transaction.rows("SELECT * FROM retention_rules WHERE tenant_id = \(tenant) ORDER BY id").map(
                RetentionRule.init(row:))
        }
        if try await installation.isRun(by: principal) { rules += try await table(of: nil).rules }
        let order = RetentionSubject.allCases
        return rules.filter { subject == nil || $0.subject == subject }.sorted { left, right in
            let places = (order.firstIndex(of: left.subject) ?? 0, order.firstIndex(of: right.subject) ?? 0)
            if places.0 != places.1 { return places.0 < places.1 }
            if left.specificity != right.specificity {
                return right.specificity.lexicographicallyPrecedes(left.specificity)
            }
            return left.id < right.id
        }
    }

    package func rule(_ id: EntryID, by principal: Principal) async throws -> RetentionRule {
        let place = try await place(of: id, by: principal)
        return try await stores.relational.read(in: place.scope) { try Self.rule(id, place, $0) }
    }

    package func createRule(_ form: RetentionRuleForm, by principal: Principal) async throws -> RetentionRule {
        try await createRules([form], keepsOthers: false, by: principal)[0]
    }

    /// Adds the rules of a preset; where there is a rule for the same already, it stays as it is.
    ///
    /// - Returns: The rules that are new.
    package func apply(_ preset: RetentionPreset, by principal: Principal) async throws -> [RetentionRule] {
        try await createRules(preset.rules, keepsOthers: true, by: principal)
    }

    private func createRules(
        _ forms: [RetentionRuleForm], keepsOthers: Bool, by principal: Principal
    ) async throws -> [RetentionRule] {
        for form in forms { try form.check() }
        let isOfInstallation = forms.contains { $0.subject.isOfInstallation }
        let place = try await newPlace(isOfInstallation: isOfInstallation, by: principal)
        let (now, rulesMax) = (clock.now(), settings.rulesMax)
        return try await stores.relational.write(in: place.scope) { transaction in
            var made: [RetentionRule] = []
            let count: Int =
                try transaction.rows("SELECT COUNT(*) AS n FROM retention_rules WHERE \(place.owns)").first?.get("n")
                ?? 0
            for form in forms {
                let rule = try Self.resolved(
                    form, id: EntryID(at: now), version: 1, created: now, now, place, transaction)
                if try Self.hasTwin(rule, place, transaction) {
                    if keepsOthers { continue }
                    throw ServiceError(.conflict, "retention.duplicate", "There is a rule for the same already.")
                }
                guard count + made.count < rulesMax else {
                    throw ServiceError(.conflict, "limit.reached", "There are as many rules as there may be.")
                }
                try Self.insert(rule, place, transaction)
                try Self.record("create", nil, rule, place, principal, now, transaction)
                made.append(rule)
            }
            return made
        }
    }

    /// - Parameter version: The version that the caller knows; another one is `stale`.
    package func changeRule(
        _ id: EntryID, to form: RetentionRuleForm, version: Int?, by principal: Principal
    ) async throws -> RetentionRule {
        let place = try await place(of: id, by: principal)
        let now = clock.now()
        return try await stores.relational.write(in: place.scope) { transaction in
            let old = try Self.rule(id, place, transaction)
            try RegistryChange.require(version, is: old.version)
            try form.check()
            guard form.subject == old.subject else {
                throw ServiceError.invalid("subject", "cannot change: make another rule", code: "retention.subject")
            }
            let rule = try Self.resolved(
                form, id: id, version: old.version + 1, created: old.createdAt, now, place, transaction)
            guard try !Self.hasTwin(rule, place, transaction) else {
                throw ServiceError(.conflict, "retention.duplicate", "There is a rule for the same already.")
            }
            try transaction.execute(
                """
                UPDATE retention_rules SET site_id = \(rule.site), profile_id = \(rule.profile),
                    metric = \(rule.metric), hot = \(rule.hot), warm = \(rule.warm), archive = \(rule.archive),
                    rollup_minute = \(rule.rollups?.minute), rollup_hour = \(rule.rollups?.hour),
                    rollup_day = \(rule.rollups?.day), legal_hold = \(rule.legalHold), reason = \(rule.reason), version = \(rule.version),
                    updated_at = \(now)
                WHERE id = \(id) AND \(place.owns)
                """)
            try Self.record("update", old, rule, place, principal, now, transaction)
            return rule
        }
    }

    package func deleteRule(_ id: EntryID, version: Int?, by principal: Principal) async throws {
        let place = try await place(of: id, by: principal)
        let now = clock.now()
        try await stores.relational.write(in: place.scope) { transaction in
            let old = try Self.rule(id, place, transaction)
            try RegistryChange.require(version, is: old.version)
            try transaction.execute("DELETE FROM retention_rules WHERE id = \(id) AND \(place.owns)")
            try Self.record("delete", old, nil, place, principal, now, transaction)
        }
    }

    // MARK: - Pieces

    /// Whose rule it is.
    struct Place: Sendable {
        let scope: AccessScope
        let tenant: TenantID?

        var owns: SQL { tenant.map { "tenant_id = \($0)" } ?? "tenant_id IS NULL" }
    }

    private var installation: InstallationGuard { InstallationGuard(stores: stores) }

    private static func wholeTenant(of principal: Principal) throws -> (AccessScope, TenantID) {
        let scope = try principal.requiredScope()
        guard scope.visibility == .all else {
            throw ServiceError(.forbidden, "scope.restricted", "This needs access to the whole organisation.")
        }
        return (scope, try scope.requiredTenant())
    }

    private func newPlace(isOfInstallation: Bool, by principal: Principal) async throws -> Place {
        let (scope, tenant) = try Self.wholeTenant(of: principal)
        guard isOfInstallation else { return Place(scope: scope, tenant: tenant) }
        try await installation.admit(principal)
        return Place(scope: Self.everything, tenant: nil)
    }

    private func place(of id: EntryID, by principal: Principal) async throws -> Place {
        let (scope, tenant) = try Self.wholeTenant(of: principal)
        let own = Place(scope: scope, tenant: tenant)
        let isOwn = try await stores.relational.read(in: scope) { transaction in
            try !transaction.rows("SELECT id FROM retention_rules WHERE id = \(id) AND \(own.owns)").isEmpty
        }
        if isOwn { return own }
        guard try await installation.isRun(by: principal) else { throw ServiceError.notFound("retention rule") }
        return Place(scope: Self.everything, tenant: nil)
    }

    private static func rule(
        _ id: EntryID, _ place: Place, _ transaction: any SQLTransaction
    ) throws -> RetentionRule {
        guard
            let row = try transaction.rows("SELECT * FROM retention_rules WHERE id = \(id) AND \(place.owns)").first
        else { throw ServiceError.notFound("retention rule") }
        return try RetentionRule(row: row)
    }

    private static func resolved(
        _ form: RetentionRuleForm, id: EntryID, version: Int, created: Timestamp, _ now: Timestamp, _ place: Place,
        _ transaction: any SQLTransaction
    ) throws -> RetentionRule {
        func find(_ reference: String?, _ table: SQL, _ field: String) throws -> String? {
            guard let reference else { return nil }
            let row = try transaction.rows("SELECT id FROM \(table) WHERE \(place.owns) AND \(SQL.named(reference))")
                .first
            guard let row else { throw ServiceError.invalid(field, "names something unknown", code: "request.field") }
            return try row.get("id")
        }
        return RetentionRule(
            id: id, subject: form.subject, site: try find(form.site, "sites", "site").flatMap { SiteID($0) },
            profile: try find(form.profile, "profiles", "profile").flatMap { ProfileID($0) }, metric: form.metric,
            hot: form.hot, warm: form.warm, archive: form.archive, rollups: form.rollups,
            legalHold: form.legalHold ?? false,
            reason: form.reason, version: version, createdAt: created, updatedAt: now)
    }

    /// Whether another rule selects exactly the same, so that neither would be the more specific one.
    private static func hasTwin(
        _ rule: RetentionRule, _ place: Place, _ transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.rows(
            "SELECT * FROM retention_rules WHERE \(place.owns) AND subject = \(rule.subject.rawValue) AND id <> \(rule.id)"
        ).contains { row in
            let other = try RetentionRule(row: row)
            return other.site == rule.site && other.profile == rule.profile && other.metric == rule.metric
                && other.legalHold == rule.legalHold
        }
    }

    private static func insert(_ rule: RetentionRule, _ place: Place, _ transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO retention_rules (id, tenant_id, subject, site_id, profile_id, metric, hot, warm, archive,
                rollup_minute, rollup_hour, rollup_day, legal_hold, reason, version, created_at, updated_at)
            VALUES (\(rule.id), \(place.tenant), \(rule.subject.rawValue), \(rule.site), \(rule.profile),
                \(rule.metric), \(rule.hot), \(rule.warm), \(rule.archive), \(rule.rollups?.minute),
                \(rule.rollups?.hour), \(rule.rollups?.day), \(rule.legalHold), \(rule.reason),
                \(rule.version), \(rule.createdAt), \(rule.updatedAt))
            """)
    }

    private static func record(
        _ action: String, _ before: RetentionRule?, _ after: RetentionRule?, _ place: Place, _ principal: Principal,
        _ now: Timestamp, _ transaction: any SQLTransaction
    ) throws {
        let id = (after ?? before)?.id.description ?? ""
        let view = try after.map { try JSONValue(describing: $0) }
        try AuditTrail.record(
            AuditRecord(
                by: principal, tenant: place.tenant, action, "retention", id,
                before: try before.map { try JSONValue(describing: $0) }, after: view, at: now), in: transaction)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: place.tenant, type: "retention.\(action)d", aggregate: "retention", aggregateID: id,
                data: view ?? .object(["id": .string(id)]), time: now))
    }
}
