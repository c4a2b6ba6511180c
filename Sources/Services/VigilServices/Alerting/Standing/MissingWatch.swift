import VigilModel
import VigilPorts

/// Judges rules of the condition `missing`: nothing was heard of a device for so long.
///
/// A device that was never heard counts from when it was made. One that is switched off or in maintenance is not missed.
/// Silence is told when it has lasted for as long since this process began to listen.
struct MissingWatch: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let shelf: RuleShelf
    let listening: Timestamp

    /// Silence that no rule bounds is too long after two and a half expected intervals, but not before this.
    static let shortest = Span.minutes(5)
    /// Changes in one transaction; the rest follows with the next round.
    static let changesMax = 500

    /// Judges all rules of all tenants once.
    func check() async throws {
        let tenants = try await stores.relational.read(in: SystemScope.allTenants("missing rules")) { transaction in
            try transaction.rows(
                """
                SELECT DISTINCT tenant_id FROM rules WHERE condition = 'missing' AND is_enabled = \(true)
                UNION SELECT c.tenant_id FROM rule_conditions c JOIN rules r ON CAST(r.id AS TEXT) = c.rule_key
                    WHERE r.condition = 'missing' AND c.state = 'active'
                """
            ).map { try $0.get("tenant_id", as: TenantID.self) }
        }
        for tenant in tenants {
            for rule in try await shelf.book(of: tenant).missing { try await check(rule, tenant: tenant) }
        }
    }

    private func check(_ rule: CompiledRule, tenant: TenantID) async throws {
        let now = clock.now()
        let scope = SystemScope.tenant(tenant, "missing rules")
        // Most rounds find nothing: they do not ask for the writer.
        guard
            try await !stores.relational.read(
                in: scope,
                { try Silence.changes(rule, tenant: tenant, at: now, listening: listening, limit: 1, in: $0) }
            ).isEmpty
        else { return }
        try await stores.relational.write(in: scope) { transaction in
            let changes = try Silence.changes(
                rule, tenant: tenant, at: now, listening: listening, limit: Self.changesMax, in: transaction)
            for change in changes {
                try change.tell(rule, tenant: tenant, at: now, in: transaction)
            }
        }
    }
}

/// A device that has fallen silent by a rule, or is heard again.
private struct Silence {
    let device: DeviceEntry
    let isSilent: Bool
    let since: Timestamp
    let limit: Span

    static func changes(
        _ rule: CompiledRule, tenant: TenantID, at now: Timestamp, listening: Timestamp, limit: Int,
        in transaction: any SQLTransaction
    ) throws -> [Silence] {
        guard case .missing(let span) = rule.definition.test else { return [] }
        let bound: SQL =
            if let span {
                "\(span.microseconds)"
            } else {
                transaction.dialect.greater(
                    "\(MissingWatch.shortest.microseconds)", "(\(ConnectionSQL.interval)) * 5 / 2")
            }
        let rows = try transaction.rows(
            """
            SELECT t.id, t.since, t.bound, t.is_silent FROM (
                SELECT d.id AS id, COALESCE(\(ConnectionSQL.heard), d.created_at) AS since, \(bound) AS bound,
                    CASE WHEN d.status IN ('active', 'error') AND d.deleted_at IS NULL
                        AND \(now) - COALESCE(\(ConnectionSQL.heard), d.created_at) > \(bound) THEN 1 ELSE 0 END
                        AS is_silent,
                    CASE WHEN c.state = 'active' THEN 1 ELSE 0 END AS was_silent
                FROM \(ConnectionSQL.tables)
                LEFT JOIN rule_conditions c ON c.tenant_id = d.tenant_id AND c.rule_key = \(rule.key)
                    AND c.subject = CAST(d.id AS TEXT)
                WHERE d.tenant_id = \(tenant) AND d.is_discovered = \(false)) AS t
            WHERE t.is_silent <> t.was_silent ORDER BY t.id
            """)
        var changes: [Silence] = []
        let isDue = rule.schedule?.contains(now) ?? true
        for row in rows where changes.count < limit {
            let isSilent = try row.get("is_silent", as: Int.self) == 1
            let bound = Span(microseconds: try row.get("bound"))
            if isSilent, !isDue || now - listening <= bound { continue }
            let id: DeviceID = try row.get("id")
            guard let device = try DeviceEntry.find(id, tenant: tenant, in: transaction) else { continue }
            if isSilent, !rule.applies(to: device, labels: .none) { continue }
            changes.append(
                Silence(device: device, isSilent: isSilent, since: try row.get("since"), limit: bound))
        }
        return changes
    }

    func tell(_ rule: CompiledRule, tenant: TenantID, at now: Timestamp, in transaction: any SQLTransaction) throws {
        let condition = StandingCondition(
            key: rule.key, subject: device.id.description, tenant: tenant, now: now)
        let definition = rule.definition
        guard isSilent else {
            return try condition.end(at: since, autoResolve: definition.autoResolve, in: transaction)
        }
        let text = AlertText(silent: device, rule: definition, since: since, time: since + limit)
        try condition.begin(
            since: since, at: since + limit,
            StandingCondition.Words(
                rule: rule.id, device: device, type: definition.type, subtype: definition.subtype ?? "missing",
                severity: definition.severity,
                title: text.fill(definition.title ?? "{ruleName}: {deviceName}", limit: 255),
                message: text.fill(definition.message ?? AlertText.defaultMessage(definition), limit: 2000),
                isLatched: definition.isLatched,
                metadata: .object(["ruleVersion": .integer(Int64(rule.version))])), in: transaction)
    }
}
