import VigilModel
import VigilPorts

/// Turns what happened to conditions into alerts, inside the transaction that writes the conditions.
struct AlertWriter {
    let tenant: TenantID
    let now: Timestamp
    let settings: AlertingService.Settings

    func apply(_ outcome: ConditionOutcome, in transaction: any SQLTransaction) throws {
        guard !outcome.events.isEmpty || outcome.window != nil else { return }
        let earlier = try outcome.window.map { try alerts(of: outcome.key, in: $0, transaction) } ?? []
        let confirmed = Set(outcome.events.compactMap { if case .fired(let time, _, _) = $0 { time } else { nil } })
        for var alert in earlier where !confirmed.contains(alert.eventTime) {
            try retract(&alert, rule: outcome.rule, in: transaction)
        }
        var open = try openAlert(outcome.key, in: transaction)
        for (index, event) in outcome.events.enumerated() {
            switch event {
            case .fired(let time, let since, let value):
                if earlier.contains(where: { $0.eventTime == time }) { continue }
                let end = end(after: index, of: outcome)
                if let end {
                    try raise(outcome, at: time, since: since, value: value, endedAt: end, in: transaction)
                } else if open != nil {
                    try repeated(&open, at: time, in: transaction)
                } else {
                    open = try raise(outcome, at: time, since: since, value: value, endedAt: nil, in: transaction)
                }
            case .recovered(let time):
                try recover(&open, at: time, rule: outcome.rule, in: transaction)
            }
        }
    }

    /// When an occurrence of the past had ended, so that it is written as closed: only where an import is judged.
    private func end(after index: Int, of outcome: ConditionOutcome) -> Timestamp? {
        guard let range = outcome.evaluated, case .fired(let time, _, _) = outcome.events[index], range.contains(time)
        else { return nil }
        for event in outcome.events[(index + 1)...] {
            if case .recovered(let end) = event { return end }
        }
        return nil
    }

    @discardableResult
    private func raise(
        _ outcome: ConditionOutcome, at time: Timestamp, since: Timestamp, value: ReadingValue, endedAt end: Timestamp?,
        in transaction: any SQLTransaction
    ) throws -> AlertRecord? {
        let definition = outcome.rule.definition
        let text = AlertText(outcome: outcome, value: value, time: time, since: since)
        let dedup = text.fill(definition.dedupKey ?? "\(outcome.key.rule):{subject}", limit: 255)
        // With a key of its own a rule says what counts as the same: that is told once while it stands or cools down.
        if definition.dedupKey != nil,
            try isTold(dedup, at: time, cooldown: definition.cooldown, in: transaction)
        {
            return nil
        }
        var alert = AlertRecord(
            id: AlertID(at: now), tenant: tenant, rule: outcome.rule.id, source: outcome.key.rule,
            subject: outcome.key.subject, device: outcome.device?.id, site: outcome.device?.site,
            location: outcome.device?.location, type: definition.type, subtype: definition.subtype,
            severity: definition.severity,
            title: text.fill(definition.title ?? "{ruleName}: {deviceName}", limit: 255),
            message: text.fill(definition.message ?? AlertText.defaultMessage(definition), limit: 2000),
            metric: definition.metric, value: value, unit: outcome.unit, startedAt: since, eventTime: time,
            knownAt: now, lastTime: time, dedupKey: dedup)
        alert.isLatched = definition.isLatched
        alert.metadata = .object(["ruleVersion": .integer(Int64(outcome.rule.version))])
        if let end {
            alert.isActive = false
            alert.recoveredAt = end
            alert.closure = .resolved
            alert.closedAt = end
            alert.closedName = "vigil"
            alert.note = "It had ended before it was known."
        }
        let journal = AlertJournal(tenant: tenant, now: now)
        // An occurrence that had ended already has two entries in its journal, in this order.
        if end != nil { alert.version = 2 }
        try alert.insert(in: transaction)
        var raised = alert
        raised.version = 1
        try journal.record(.raised, of: raised, in: transaction)
        if end != nil { try journal.record(.resolved, of: alert, note: alert.note, in: transaction) }
        return alert
    }

    /// A breach while the alert stands: counted, once for each time.
    private func repeated(_ open: inout AlertRecord?, at time: Timestamp, in transaction: any SQLTransaction) throws {
        guard var alert = open, time > alert.lastTime else { return }
        alert.lastTime = time
        alert.occurrences += 1
        alert.isActive = true
        alert.recoveredAt = nil
        try alert.update(in: transaction)
        try AlertJournal(tenant: tenant, now: now).record(.repeated, of: alert, in: transaction)
        open = alert
    }

    private func recover(
        _ open: inout AlertRecord?, at time: Timestamp, rule: CompiledRule, in transaction: any SQLTransaction
    ) throws {
        guard var alert = open, alert.isActive, time >= alert.lastTime else { return }
        alert.isActive = false
        alert.recoveredAt = time
        let journal = AlertJournal(tenant: tenant, now: now)
        if rule.definition.autoResolve, !alert.isLatched || alert.isAcknowledged {
            alert.closure = .resolved
            alert.closedAt = time
            alert.closedName = "vigil"
            try alert.update(in: transaction)
            try journal.record(.resolved, of: alert, in: transaction)
            open = nil
        } else {
            try alert.update(in: transaction)
            try journal.record(.recovered, of: alert, in: transaction)
            open = alert
        }
    }

    /// Late readings showed that it had not been so.
    ///
    /// An alert of an older version of its rule is left alone.
    private func retract(_ alert: inout AlertRecord, rule: CompiledRule, in transaction: any SQLTransaction) throws {
        guard alert.metadata["ruleVersion"]?.double == Double(rule.version) else { return }
        alert.retractedAt = now
        alert.isActive = false
        if alert.closure == .open {
            alert.closure = .dismissed
            alert.closedAt = now
            alert.closedName = "vigil"
            alert.note = "Late readings showed that it had not been so."
        }
        try alert.update(in: transaction)
        try AlertJournal(tenant: tenant, now: now).record(.retracted, of: alert, in: transaction)
    }

    // MARK: - Reading

    private func openAlert(_ key: ConditionCell.Key, in transaction: any SQLTransaction) throws -> AlertRecord? {
        try transaction.rows(
            """
            SELECT * FROM alerts WHERE tenant_id = \(tenant) AND source = \(key.rule) AND subject = \(key.subject)
                AND closure = 'open'
            """
        ).first.map(AlertRecord.init(row:))
    }

    private func alerts(of key: ConditionCell.Key, in window: TimeRange, _ transaction: any SQLTransaction) throws
        -> [AlertRecord]
    {
        try transaction.rows(
            """
            SELECT * FROM alerts WHERE tenant_id = \(tenant) AND source = \(key.rule) AND subject = \(key.subject)
                AND event_time >= \(window.start) AND event_time < \(window.end) AND retracted_at IS NULL
            ORDER BY event_time
            """
        ).map(AlertRecord.init(row:))
    }

    private func isTold(
        _ dedup: String, at time: Timestamp, cooldown: Span, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.rows(
            """
            SELECT id FROM alerts WHERE tenant_id = \(tenant) AND dedup_key = \(dedup)
                AND event_time <= \(time) AND retracted_at IS NULL
                AND (event_time > \(time - cooldown) OR closed_at IS NULL) LIMIT 1
            """
        ).first != nil
    }
}
