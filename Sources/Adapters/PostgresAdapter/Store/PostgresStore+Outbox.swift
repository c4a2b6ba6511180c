import VigilModel
package import VigilPorts

extension PostgresStore {
    package func outboxArrivals() -> AsyncStream<Void> {
        notices.listen()
        return arrivals.stream()
    }

    package func outbox(after position: OutboxPosition, limit: Int) async throws -> [OutboxEntry] {
        let (entries, isHeldBack) = try await read(in: SystemScope.allTenants("outbox")) { transaction in
            let rows = try transaction.rows(
                """
                SELECT position, tenant_id, type, aggregate, aggregate_id, device_id, data, time FROM outbox
                WHERE position > \(position.rawValue) AND position <
                    ((SELECT shift FROM outbox_epoch) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) << 20
                ORDER BY position LIMIT \(limit)
                """)
            let entries = try rows.map { row in
                OutboxEntry(
                    position: OutboxPosition(rawValue: try row.get("position")),
                    message: OutboxMessage(
                        tenant: try row.optional("tenant_id"), type: try row.get("type"),
                        aggregate: try row.get("aggregate"), aggregateID: try row.get("aggregate_id"),
                        device: try row.optional("device_id"), data: try row.get("data"), time: try row.get("time")))
            }
            return (entries, try entries.count < limit && Self.hasHeldBack(transaction))
        }
        notices.lookAgain(isHeldBack)
        return entries
    }

    /// Whether there are committed entries that a transaction which began before theirs still holds back.
    private static func hasHeldBack(_ transaction: any SQLTransaction) throws -> Bool {
        try !transaction.rows(
            """
            SELECT position FROM outbox WHERE position >=
                ((SELECT shift FROM outbox_epoch) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) << 20
            LIMIT 1
            """
        ).isEmpty
    }
}
