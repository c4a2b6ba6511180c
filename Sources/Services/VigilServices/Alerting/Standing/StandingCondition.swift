import VigilModel
import VigilPorts

/// Something that is so or is not, told as a whole and not sample by sample: silence, a full disk, an engine that is away.
///
/// It raises one alert when it begins, whatever becomes of that alert while it lasts, and closes it when it ends. How it
/// stands is kept in `rule_conditions`, so that it begins and ends once across restarts.
struct StandingCondition {
    /// A rule's identifier, `system:…`.
    let key: String
    let subject: String
    let tenant: TenantID
    let now: Timestamp

    /// What the alert says.
    struct Words {
        var rule: RuleID?
        var device: DeviceEntry?
        var type: AlertType
        var subtype: String?
        var severity: Severity
        var title: String
        var message: String
        var isLatched = false
        var metadata = JSONValue.emptyObject
    }

    func isActive(in transaction: any SQLTransaction) throws -> Bool {
        let state = try transaction.rows(
            "SELECT state FROM rule_conditions WHERE tenant_id = \(tenant) AND rule_key = \(key) AND subject = \(subject)"
        ).first?.get("state", as: String.self)
        return state == "active"
    }

    /// Raises the alert, unless it was raised when this began.
    ///
    /// - Parameters:
    ///   - since: When it began to be so.
    ///   - time: When it had been so for long enough.
    func begin(since: Timestamp, at time: Timestamp, _ words: Words, in transaction: any SQLTransaction) throws {
        guard try !isActive(in: transaction) else { return }
        try save("active", since: since, fired: time, device: words.device?.id, in: transaction)
        var alert = AlertRecord(
            id: AlertID(at: now), tenant: tenant, rule: words.rule, source: key, subject: subject,
            device: words.device?.id, site: words.device?.site, location: words.device?.location, type: words.type,
            subtype: words.subtype, severity: words.severity, title: String(words.title.prefix(255)),
            message: String(words.message.prefix(2000)), startedAt: since, eventTime: time, knownAt: now,
            lastTime: time, dedupKey: "\(key):\(subject)")
        alert.isLatched = words.isLatched
        alert.metadata = words.metadata
        let journal = AlertJournal(tenant: tenant, now: now)
        // The alert of an earlier episode may still stand, because nobody has closed it: it happened again.
        if var standing = try open(in: transaction) {
            standing.isActive = true
            standing.recoveredAt = nil
            standing.lastTime = max(standing.lastTime, time)
            standing.occurrences += 1
            try standing.update(in: transaction)
            return try journal.record(.repeated, of: standing, in: transaction)
        }
        try alert.insert(in: transaction)
        try journal.record(.raised, of: alert, in: transaction)
    }

    /// Says that it is over.
    func end(at time: Timestamp, autoResolve: Bool = true, in transaction: any SQLTransaction) throws {
        guard try isActive(in: transaction) else { return }
        try save("normal", since: nil, fired: nil, device: nil, in: transaction)
        guard var alert = try open(in: transaction), alert.isActive else { return }
        alert.isActive = false
        alert.recoveredAt = time
        let journal = AlertJournal(tenant: tenant, now: now)
        if autoResolve, !alert.isLatched || alert.isAcknowledged {
            alert.closure = .resolved
            alert.closedAt = now
            alert.closedName = "vigil"
            try alert.update(in: transaction)
            try journal.record(.resolved, of: alert, in: transaction)
        } else {
            try alert.update(in: transaction)
            try journal.record(.recovered, of: alert, in: transaction)
        }
    }

    private func open(in transaction: any SQLTransaction) throws -> AlertRecord? {
        try transaction.rows(
            """
            SELECT * FROM alerts WHERE tenant_id = \(tenant) AND source = \(key) AND subject = \(subject)
                AND closure = 'open'
            """
        ).first.map(AlertRecord.init(row:))
    }

    private func save(
        _ state: String, since: Timestamp?, fired: Timestamp?, device: DeviceID?, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO rule_conditions (tenant_id, rule_key, subject, device_id, state, pending_since, last_fired,
                changed_at, history, updated_at)
            VALUES (\(tenant), \(key), \(subject), \(device), \(state), \(since), \(fired), \(now), '[]', \(now))
            ON CONFLICT (tenant_id, rule_key, subject) DO UPDATE SET state = excluded.state,
                pending_since = excluded.pending_since,
                last_fired = COALESCE(excluded.last_fired, rule_conditions.last_fired),
                changed_at = excluded.changed_at, updated_at = excluded.updated_at
            """)
    }
}
