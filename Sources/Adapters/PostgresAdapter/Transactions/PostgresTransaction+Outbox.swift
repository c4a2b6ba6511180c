import VigilModel
import VigilPorts

extension PostgresTransaction {
    /// How many bits of a position count the entries of one transaction; the rest is the transaction's number.
    static var positionBits: Int64 { 20 }

    func appendToOutbox(_ message: OutboxMessage) throws {
        guard outboxEntries < 1 << Self.positionBits else {
            throw StoreError(.limit, "A transaction adds more than 1048576 entries to the outbox")
        }
        let index = outboxEntries
        outboxEntries += 1
        // The position is (number of the transaction, place in it): a reader that stops below the oldest running
        // transaction has then seen everything before its position, whoever commits later.
        _ = try execute(
            """
            INSERT INTO outbox (position, tenant_id, type, aggregate, aggregate_id, device_id, data, time)
            SELECT ((pg_current_xact_id()::text::bigint + shift) << 20) + \(index), CAST(\(message.tenant) AS uuid),
                \(message.type), \(message.aggregate), \(message.aggregateID), CAST(\(message.device) AS uuid),
                CAST(\(message.data) AS jsonb), \(message.time)
            FROM outbox_epoch
            """)
    }
}
