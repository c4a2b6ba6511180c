package import VigilModel
import VigilPorts

/// An alert: condition × acknowledged × suppression × latched, and its closure.
package struct AlertRecord: Sendable {
    package enum Suppression: String, Sendable, Codable {
        case none
        /// Put aside by an operator, for a while.
        case shelved
        /// Put aside by design.
        case suppressed
        case outOfService = "out_of_service"
    }

    package var id: AlertID
    package var tenant: TenantID
    package var rule: RuleID?
    /// Who raised it: a rule's identifier, `handler:…`, `system:…`, `external:…`.
    package var source: String
    package var subject: String
    package var device: DeviceID?
    package var site: SiteID?
    package var location: LocationID?
    package var type: AlertType
    package var subtype: String?
    package var severity: Severity
    package var title: String
    package var message: String
    package var metric: String?
    package var value: ReadingValue?
    package var unit: String?
    package var startedAt: Timestamp
    package var eventTime: Timestamp
    package var knownAt: Timestamp
    package var lastTime: Timestamp
    package var occurrences = 1
    package var isActive = true
    package var recoveredAt: Timestamp?
    package var suppression = Suppression.none
    package var isLatched = false
    package var acknowledgedAt: Timestamp?
    package var acknowledgedBy: UserID?
    package var acknowledgedName: String?
    package var closure = AlertClosure.open
    package var closedAt: Timestamp?
    package var closedBy: UserID?
    package var closedName: String?
    package var note: String?
    package var retractedAt: Timestamp?
    package var dedupKey: String
    package var metadata = JSONValue.emptyObject
    package var version = 1

    package var isAcknowledged: Bool { acknowledgedAt != nil }

    /// The name that ISA-18.2 gives to this state.
    package var stateName: String {
        switch suppression {
        case .shelved: return "shelved"
        case .suppressed: return "suppressed_by_design"
        case .outOfService: return "out_of_service"
        case .none: break
        }
        if closure != .open { return "normal" }
        switch (isActive, isAcknowledged) {
        case (true, false): return "unacknowledged"
        case (true, true): return "acknowledged"
        case (false, false): return isLatched ? "latched_unacknowledged" : "returned_to_normal_unacknowledged"
        case (false, true): return isLatched ? "latched_acknowledged" : "normal"
        }
    }
}

extension AlertRecord {
    init(row: SQLRow) throws {
        let number = try row.optional("value_number", as: Double.self)
        let text = try row.optional("value_text", as: String.self)
        self.init(
            id: try row.get("id"), tenant: try row.get("tenant_id"), rule: try row.optional("rule_id"),
            source: try row.get("source"), subject: try row.get("subject"), device: try row.optional("device_id"),
            site: try row.optional("site_id"), location: try row.optional("location_id"), type: try row.get("type"),
            subtype: try row.optional("subtype"), severity: try row.get("severity"), title: try row.get("title"),
            message: try row.get("message"), metric: try row.optional("metric"),
            value: number.map(ReadingValue.float) ?? text.map(ReadingValue.text), unit: try row.optional("unit"),
            startedAt: try row.get("started_at"), eventTime: try row.get("event_time"),
            knownAt: try row.get("known_at"), lastTime: try row.get("last_time"),
            occurrences: try row.get("occurrences"), isActive: try row.get("condition", as: String.self) == "active",
            recoveredAt: try row.optional("recovered_at"),
            suppression: Suppression(rawValue: try row.get("suppression")) ?? .none,
            isLatched: try row.get("is_latched"), acknowledgedAt: try row.optional("acknowledged_at"),
            acknowledgedBy: try row.optional("acknowledged_by"),
            acknowledgedName: try row.optional("acknowledged_name"), closure: try row.get("closure"),
            closedAt: try row.optional("closed_at"), closedBy: try row.optional("closed_by"),
            closedName: try row.optional("closed_name"), note: try row.optional("note"),
            retractedAt: try row.optional("retracted_at"), dedupKey: try row.get("dedup_key"),
            metadata: try row.get("metadata"), version: try row.get("version"))
    }

    /// The condition as its column has it.
    private var conditionName: String { isActive ? "active" : "normal" }

    func insert(in transaction: any SQLTransaction) throws {
        let number = value?.number
        var text: String?
        if case .text(let value)? = value { text = value }
        try transaction.execute(
            """
            INSERT INTO alerts (id, tenant_id, rule_id, source, subject, device_id, site_id, location_id, type, subtype,
                severity, title, message, metric, value_number, value_text, unit, started_at, event_time, known_at,
                last_time, occurrences, condition, recovered_at, suppression, is_latched, is_acknowledged,
                acknowledged_at, acknowledged_by, acknowledged_name, closure, closed_at, closed_by, closed_name, note,
                retracted_at, dedup_key, metadata, version)
            VALUES (\(id), \(tenant), \(rule), \(source), \(subject), \(device), \(site), \(location), \(type),
                \(subtype), \(severity), \(title), \(message), \(metric), \(number), \(text), \(unit), \(startedAt),
                \(eventTime), \(knownAt), \(lastTime), \(occurrences), \(conditionName),
                \(recoveredAt), \(suppression.rawValue), \(isLatched), \(isAcknowledged), \(acknowledgedAt),
                \(acknowledgedBy), \(acknowledgedName), \(closure), \(closedAt), \(closedBy), \(closedName), \(note),
                \(retractedAt), \(dedupKey), \(metadata), \(version))
            """)
    }

    /// Writes what can change of an alert, with the next version, if nobody else has changed it.
    ///
    /// - Throws: `stale` when somebody has.
    mutating func update(in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE alerts SET last_time = \(lastTime), occurrences = \(occurrences),
                condition = \(conditionName), recovered_at = \(recoveredAt),
                suppression = \(suppression.rawValue), is_latched = \(isLatched), is_acknowledged = \(isAcknowledged),
                acknowledged_at = \(acknowledgedAt), acknowledged_by = \(acknowledgedBy),
                acknowledged_name = \(acknowledgedName), closure = \(closure), closed_at = \(closedAt),
                closed_by = \(closedBy), closed_name = \(closedName), note = \(note), retracted_at = \(retractedAt),
                severity = \(severity), metadata = \(metadata), version = \(version + 1)
            WHERE tenant_id = \(tenant) AND id = \(id) AND version = \(version)
            """)
        guard changed == 1 else { throw StoreError(.stale, "An alert was changed by somebody else") }
        version += 1
    }
}
