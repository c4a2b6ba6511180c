import VigilModel
import VigilPorts

/// The connection state as SQL, for statements over `devices d`, `profiles p` and `device_activity a`.
///
/// Says the same as ``VigilModel/ConnectionState``; a test holds the two together.
enum ConnectionSQL {
    /// Devices with their profiles and what is known of their readings, for a statement that goes on with `WHERE`.
    static let tables: SQL = """
        devices d
        LEFT JOIN profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
        LEFT JOIN device_activity a ON a.device_id = d.id
        """

    static let interval: SQL =
        "COALESCE(d.expected_interval, p.expected_interval, \(DeviceEntry.defaultExpectedInterval.microseconds))"

    /// How far a device's clock may be wrong: a time zone taken for another.
    static let clockTolerance = Span.hours(15)

    /// When the device was last heard: when its newest reading arrived.
    ///
    /// Where that was much later than the reading's time, the reading's time counts: an import of old readings makes no
    /// device look alive.
    static let heard: SQL = """
        CASE WHEN a.last_arrival < a.last_seen + \(clockTolerance.microseconds) THEN a.last_arrival ELSE a.last_seen END
        """

    static func state(at now: Timestamp) -> SQL {
        """
        CASE WHEN a.last_seen IS NULL THEN 'unknown' WHEN \(now) - (\(heard)) < \(interval) THEN 'online'
            WHEN \(now) - (\(heard)) < 6 * \(interval) THEN 'warning' ELSE 'offline' END
        """
    }
}

extension ConnectionState: SQLConvertible {}
