import VigilModel
import VigilPorts

/// What a batch leaves in the relational store.
enum IngestRecords {
    static func write(
        _ entry: JournalEntry, activity: [TenantIngest.Heard], through: Int64, tenant: TenantID, at now: Timestamp,
        in transaction: any SQLTransaction
    ) throws {
        let arrival = Timestamp(microseconds: entry.arrival)
        try transaction.execute(
            """
            INSERT INTO ingest_log (id, tenant_id, time, source, status, accepted, refused, first_time, last_time,
                reasons, sender)
            VALUES (\(entry.log.id), \(tenant), \(arrival), \(entry.form), \(entry.status), \(entry.accepted),
                \(entry.refused), \(entry.first), \(entry.last), \(try JSONValue(describing: entry.refusals)),
                \(entry.sender))
            ON CONFLICT (id) DO NOTHING
            """)
        try transaction.execute(
            """
            UPDATE ingest_progress SET evaluated_through = \(through), updated_at = \(now)
            WHERE tenant_id = \(tenant) AND evaluated_through < \(through)
            """)
        guard !activity.isEmpty else { return }
        let rows: [[SQLValue]] = activity.map { heard in
            [
                heard.device.sqlValue, tenant.sqlValue, heard.last.sqlValue, arrival.sqlValue,
                (arrival - heard.last).microseconds.sqlValue,
            ]
        }
        _ = try transaction.insert(
            into: "device_activity", columns: ["device_id", "tenant_id", "last_seen", "last_arrival", "clock_skew"],
            rows: rows,
            conflict: """
                ON CONFLICT (device_id) DO UPDATE SET
                    last_seen = CASE WHEN excluded.last_seen > device_activity.last_seen THEN excluded.last_seen
                        ELSE device_activity.last_seen END,
                    last_arrival = CASE WHEN excluded.last_arrival > device_activity.last_arrival
                        THEN excluded.last_arrival ELSE device_activity.last_arrival END,
                    clock_skew = excluded.clock_skew
                """)
    }
}
