import VigilPorts

/// The ages up to which aggregates of readings stay after their readings went.
package struct RollupAges: Codable, Sendable, Hashable {
    /// Of one minute: `30d`, `forever`; absent: none is kept.
    package var minute: String?
    /// Of one hour.
    package var hour: String?
    /// Of one day, in UTC.
    package var day: String?

    package init(minute: String? = nil, hour: String? = nil, day: String? = nil) {
        self.minute = minute
        self.hour = hour
        self.day = day
    }

    /// The bounds, as they were checked when the rule was written.
    var bounds: RollupBounds {
        RollupBounds(
            minute: minute.flatMap { RetentionBound($0) }, hour: hour.flatMap { RetentionBound($0) },
            day: day.flatMap { RetentionBound($0) })
    }
}
