package import VigilModel
import VigilPorts

extension AlertingService {
    /// Alerts, newest first by the time at which they happened.
    ///
    /// - Parameter cursor: What the last page gave out as `next`.
    package func alerts(_ filter: AlertFilter, cursor: String?, limit: Int, in scope: AccessScope) async throws
        -> (items: [AlertView], next: String?)
    {
        let tenant = try Self.tenant(of: scope)
        var conditions: [SQL] = ["a.tenant_id = \(tenant)"]
        if !filter.severities.isEmpty { conditions.append("a.severity IN \(filter.severities)") }
        if let acknowledged = filter.acknowledged { conditions.append("a.is_acknowledged = \(acknowledged)") }
        if !filter.closures.isEmpty { conditions.append("a.closure IN \(filter.closures)") }
        if !filter.types.isEmpty { conditions.append("a.type IN \(filter.types)") }
        if let site = filter.site { conditions.append("a.site_id = \(site)") }
        if let rule = filter.rule { conditions.append("a.rule_id = \(rule)") }
        if let from = filter.from { conditions.append("a.event_time >= \(from)") }
        if let to = filter.to { conditions.append("a.event_time < \(to)") }
        if let reference = filter.device {
            guard let entry = try await directory.find(reference, tenant: tenant), scope.shows(entry.id) else {
                throw ServiceError.notFound("device")
            }
            conditions.append("a.device_id = \(entry.id)")
        }
        if case .assigned(let devices, let locations) = scope.visibility {
            conditions.append(
                "(a.device_id IN \(Array(devices)) OR (a.device_id IS NULL AND a.location_id IN \(Array(locations))))")
        }
        if let cursor { conditions.append(try Self.condition(of: cursor)) }
        let filterSQL = conditions.joined(" AND ")
        let views = try await stores.relational.read(.recent, in: scope) { transaction in
            try transaction.rows(
                """
                SELECT a.*, d.name AS device_name, r.name AS rule_name FROM alerts a
                LEFT JOIN devices d ON d.id = a.device_id LEFT JOIN rules r ON r.id = a.rule_id
                WHERE \(filterSQL) ORDER BY a.event_time DESC, a.id DESC LIMIT \(limit + 1)
                """
            ).map { row in
                (
                    AlertView(
                        try AlertRecord(row: row), deviceName: try row.optional("device_name"),
                        ruleName: try row.optional("rule_name")),
                    try row.get("event_time", as: Int64.self)
                )
            }
        }
        let items = views.prefix(limit)
        let next = views.count > limit ? items.last.map { "\($0.1).\($0.0.id)" } : nil
        return (items.map(\.0), next)
    }

    private static func condition(of cursor: String) throws(ServiceError) -> SQL {
        let parts = cursor.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let time = Int64(parts[0]), let id = AlertID(String(parts[1])) else {
            throw .invalid("cursor", "is not one that this server gave out", code: "request.cursor")
        }
        return "(a.event_time < \(time) OR (a.event_time = \(time) AND a.id < \(id)))"
    }

    package func alert(_ id: AlertID, in scope: AccessScope) async throws -> AlertView {
        let tenant = try Self.tenant(of: scope)
        return try await stores.relational.read(in: scope) { transaction in
            try Self.view(of: try Self.alert(id, tenant: tenant, in: transaction), in: transaction)
        }
    }

    /// With the names of what it is about.
    private static func view(of alert: AlertRecord, in transaction: any SQLTransaction) throws -> AlertView {
        let device = try transaction.rows("SELECT name FROM devices WHERE id = \(alert.device)").first
        let rule = try transaction.rows("SELECT name FROM rules WHERE id = \(alert.rule)").first
        return AlertView(alert, deviceName: try device?.get("name"), ruleName: try rule?.get("name"))
    }

    /// What happened to an alert, oldest first.
    package func journal(of id: AlertID, in scope: AccessScope) async throws -> [AlertJournalView] {
        let tenant = try Self.tenant(of: scope)
        return try await stores.relational.read(in: scope) { transaction in
            _ = try Self.alert(id, tenant: tenant, in: transaction)
            return try transaction.rows(
                """
                SELECT * FROM alert_journal WHERE tenant_id = \(tenant) AND alert_id = \(id) ORDER BY sequence, id LIMIT 1000
                """
            ).map { row in
                AlertJournalView(
                    id: try row.get("id"), time: try row.get("time", as: Timestamp.self).description,
                    action: try row.get("action"), user: try row.optional("user_id"), name: try row.get("name"),
                    note: try row.optional("note"))
            }
        }
    }

    // MARK: - Actions

    /// Acknowledges an alert; doing so twice changes nothing.
    package func acknowledge(_ id: AlertID, note: String?, version: Int?, by principal: Principal) async throws
        -> AlertView
    {
        try await change(id, .acknowledged, note: note, version: version, by: principal) { alert, now in
            if alert.isAcknowledged { return false }
            guard alert.closure == .open else { throw Self.isClosed }
            alert.acknowledgedAt = now
            alert.acknowledgedBy = principal.user
            alert.acknowledgedName = principal.name
            if let note { alert.note = note }
            return true
        }
    }

    /// Closes an alert: what it told of is over.
    ///
    /// Doing so twice changes nothing.
    package func resolve(_ id: AlertID, note: String?, version: Int?, by principal: Principal) async throws -> AlertView
    {
        try await close(id, as: .resolved, .resolved, note: note, version: version, by: principal)
    }

    /// Closes an alert as wrong.
    package func dismiss(_ id: AlertID, note: String?, version: Int?, by principal: Principal) async throws -> AlertView
    {
        try await close(id, as: .dismissed, .dismissed, note: note, version: version, by: principal)
    }

    package func comment(_ id: AlertID, note: String, by principal: Principal) async throws -> AlertView {
        guard !note.isEmpty else { throw ServiceError.invalid("note", "must not be empty") }
        return try await change(id, .commented, note: note, version: nil, by: principal) { _, _ in true }
    }

    private func close(
        _ id: AlertID, as closure: AlertClosure, _ action: AlertAction, note: String?, version: Int?,
        by principal: Principal
    ) async throws -> AlertView {
        try await change(id, action, note: note, version: version, by: principal) { alert, now in
            if alert.closure == closure { return false }
            guard alert.closure == .open else { throw Self.isClosed }
            alert.closure = closure
            alert.closedAt = now
            alert.closedBy = principal.user
            alert.closedName = principal.name
            if let note { alert.note = note }
            return true
        }
    }

    private static let isClosed = ServiceError(.conflict, "alert.closed", "The alert is closed, and stays so.")

    /// - Parameter body: Changes the alert; false when there is nothing to change.
    private func change(
        _ id: AlertID, _ action: AlertAction, note: String?, version: Int?, by principal: Principal,
        _ body: @escaping @Sendable (inout AlertRecord, Timestamp) throws -> Bool
    ) async throws -> AlertView {
        let scope = try principal.requiredScope()
        let tenant = try Self.tenant(of: scope)
        if let note, note.utf8.count > 4000 { throw ServiceError.invalid("note", "must have at most 4000 bytes") }
        let now = clock.now()
        return try await stores.relational.write(in: scope) { transaction in
            var alert = try Self.alert(id, tenant: tenant, in: transaction)
            let before = try JSONValue(describing: AlertView(alert))
            if let version, version != alert.version {
                throw StoreError(.stale, "An alert was changed by somebody else")
            }
            guard try body(&alert, now) else { return try Self.view(of: alert, in: transaction) }
            try alert.update(in: transaction)
            try AlertJournal(tenant: tenant, now: now).record(
                action, of: alert, by: principal, note: note, in: transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: principal, tenant: tenant, action.rawValue, "alert", id.description, device: alert.device,
                    before: before, after: try JSONValue(describing: AlertView(alert)), at: now), in: transaction)
            return try Self.view(of: alert, in: transaction)
        }
    }

    static func alert(_ id: AlertID, tenant: TenantID, in transaction: any SQLTransaction) throws -> AlertRecord {
        guard
            let row = try transaction.rows("SELECT * FROM alerts WHERE tenant_id = \(tenant) AND id = \(id)").first
        else { throw ServiceError.notFound("alert") }
        let alert = try AlertRecord(row: row)
        guard alert.isShown(in: transaction.scope) else { throw ServiceError.notFound("alert") }
        return alert
    }

    // MARK: - Statistics

    /// Counts of the alerts of the last `days` days.
    package func statistics(days: Int, in scope: AccessScope) async throws -> AlertStatistics {
        let tenant = try Self.tenant(of: scope)
        let from = clock.now() - .days(Int64(days))
        let dayLength: Int64 = 86_400_000_000
        var visible: SQL = "tenant_id = \(tenant) AND event_time >= \(from)"
        if case .assigned(let devices, _) = scope.visibility { visible += " AND device_id IN \(Array(devices))" }
        let filter = visible
        let rows = try await stores.relational.read(.recent, in: scope) { transaction in
            try transaction.rows(
                """
                SELECT severity, type, closure, is_acknowledged, day, COUNT(*) AS n
                FROM (SELECT severity, type, closure, is_acknowledged, event_time / \(dayLength) AS day
                    FROM alerts WHERE \(filter)) AS dated
                GROUP BY severity, type, closure, is_acknowledged, day
                """
            ).map { row in
                (
                    severity: try row.get("severity", as: Severity.self), type: try row.get("type", as: String.self),
                    closure: try row.get("closure", as: String.self),
                    acknowledged: try row.get("is_acknowledged", as: Bool.self),
                    day: try row.get("day", as: Int64.self),
                    count: try row.get("n", as: Int.self)
                )
            }
        }
        var result = AlertStatistics(
            days: days, total: 0, unacknowledged: 0, acknowledged: 0, bySeverity: [:], byType: [:], byStatus: [:],
            byDay: [])
        var byDay: [Int64: Int] = [:]
        for row in rows {
            result.total += row.count
            if row.acknowledged {
                result.acknowledged += row.count
            } else if row.closure == "open" {
                // A closed alert waits for nobody.
                result.unacknowledged += row.count
            }
            result.bySeverity[row.severity.rawValue, default: 0] += row.count
            result.byType[row.type, default: 0] += row.count
            result.byStatus[row.closure, default: 0] += row.count
            byDay[row.day, default: 0] += row.count
        }
        result.byDay = byDay.sorted { $0.key < $1.key }.map { day, count in
            AlertStatistics.Day(
                day: String(Timestamp(microseconds: day * dayLength).description.prefix(10)), count: count)
        }
        return result
    }
}

extension AlertRecord {
    /// Whether a caller may know of it.
    func isShown(in scope: AccessScope) -> Bool {
        switch scope.visibility {
        case .all: true
        case .assigned: device != nil ? scope.shows(device) : scope.shows(location)
        }
    }
}
