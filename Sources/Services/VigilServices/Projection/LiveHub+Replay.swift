import VigilModel
import VigilPorts

extension LiveHub {
    /// What happened in the tenant after one position and up to another, or `nil` when that is too much or too old.
    func missed(_ tenant: TenantID, after last: Int64, until: Int64) async throws -> [LiveEnvelope]? {
        let scope = SystemScope.tenant(tenant, "live.replay")
        let limit = Self.replayedMessages
        return try await stores.relational.read(in: scope) { transaction in
            let oldest = try transaction.rows("SELECT MIN(position) AS oldest FROM outbox").first?
                .optional("oldest", as: Int64.self)
            guard let oldest, last >= oldest - 1 else { return nil }
            let rows = try transaction.rows(
                """
                SELECT position, type, aggregate, aggregate_id, device_id, data, time FROM outbox
                WHERE tenant_id = \(tenant) AND position > \(last) AND position <= \(until)
                ORDER BY position LIMIT \(limit + 1)
                """)
            guard rows.count <= limit else { return nil }
            return try rows.map { row in
                LiveEnvelope(
                    OutboxEntryContent(
                        position: try row.get("position"), type: try row.get("type"),
                        aggregate: try row.get("aggregate"), aggregateID: try row.get("aggregate_id"),
                        device: try row.optional("device_id"), data: try row.get("data"), time: try row.get("time")))
            }
        }
    }

    /// The last position of the outbox.
    func newestPosition() async throws -> Int64 {
        try await stores.relational.read(in: SystemScope.allTenants("live.replay")) { transaction in
            try transaction.rows("SELECT position FROM consumer_cursors WHERE consumer = \(Projector.consumer)").first?
                .get("position", as: Int64.self) ?? 0
        }
    }
}
