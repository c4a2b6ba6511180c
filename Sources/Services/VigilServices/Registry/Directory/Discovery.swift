import VigilModel
import VigilPorts

/// A name that no device has yet, about to become a discovered device.
struct Discovery: Sendable {
    let reference: String
    let sample: JSONValue
    let time: Timestamp
    /// How many of the tenant's devices may wait.
    let limit: Int

    func insert(tenant: TenantID, in transaction: any SQLTransaction) throws -> DeviceEntry {
        guard try Self.waitingCount(tenant: tenant, in: transaction) < limit else { throw Self.tooMany }
        return try make(tenant: tenant, in: transaction)
    }

    /// How many unknown devices wait to be claimed or are ignored.
    static func waitingCount(tenant: TenantID, in transaction: any SQLTransaction) throws -> Int {
        try transaction.rows(
            "SELECT COUNT(*) AS n FROM discoveries WHERE tenant_id = \(tenant) AND state <> 'claimed'"
        ).first?.get("n", as: Int.self) ?? 0
    }

    static let tooMany = ServiceError(
        .tooMany, "discovery.limit", "Too many unknown devices wait to be claimed or ignored.",
        retryAfter: .minutes(10))

    /// Makes the device, whatever the limit.
    func make(tenant: TenantID, in transaction: any SQLTransaction) throws -> DeviceEntry {
        let entry = DeviceEntry(
            id: DeviceID(at: time), tenant: tenant, code: reference, name: reference, kind: "unknown",
            isDiscovered: true)
        try transaction.execute(
            """
            INSERT INTO devices (id, tenant_id, name, kind, status, connection, metadata, is_discovered, version,
                created_at, updated_at)
            VALUES (\(entry.id), \(tenant), \(reference), \(entry.kind), \(entry.status), \(JSONValue.emptyObject),
                \(JSONValue.emptyObject), \(true), 1, \(time), \(time))
            """)
        try transaction.execute(
            """
            INSERT INTO discoveries (tenant_id, device_id, reference, state, sample, first_seen, last_seen, sightings)
            VALUES (\(tenant), \(entry.id), \(reference), 'discovered', \(sample), \(time), \(time), 0)
            """)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: tenant, type: "device.discovered", aggregate: "device", aggregateID: entry.id.description,
                device: entry.id,
                data: .object(["id": .string(entry.id.description), "reference": .string(reference)]), time: time))
        return entry
    }
}
