import VigilModel
import VigilPorts

/// What happened to an alert.
package enum AlertAction: String, Sendable, Codable, CaseIterable {
    case raised
    /// It happened again while the alert stood.
    case repeated
    /// What it tells of holds no longer.
    case recovered
    case acknowledged
    case resolved
    case dismissed
    /// Late readings showed that it had not been so.
    case retracted
    case commented
    case shelved
    case unshelved
}

/// Writes what happens to alerts: the journal for people, the outbox for everyone who must hear of it.
struct AlertJournal {
    let tenant: TenantID
    let now: Timestamp

    /// Journals `action` and tells it, in the transaction of the change.
    func record(
        _ action: AlertAction, of alert: AlertRecord, by actor: Principal? = nil, note: String? = nil,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO alert_journal (id, tenant_id, alert_id, sequence, time, action, user_id, name, note)
            VALUES (\(EntryID(at: now)), \(tenant), \(alert.id), \(alert.version), \(now), \(action.rawValue), \(actor?.user),
                \(actor?.name ?? "vigil"), \(note))
            """)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: tenant, type: "alert.\(action.rawValue)", aggregate: "alert",
                aggregateID: alert.id.description, device: alert.device,
                data: try JSONValue(describing: AlertView(alert)), time: now))
    }
}
