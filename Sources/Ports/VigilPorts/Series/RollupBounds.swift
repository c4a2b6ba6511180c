/// How long aggregates of readings are kept after the readings went, by the width of their buckets.
///
/// Each bound is the age of the readings. An absent one keeps nothing of this width.
package struct RollupBounds: Sendable, Hashable {
    /// Of one minute.
    package var minute: RetentionBound?
    /// Of one hour.
    package var hour: RetentionBound?
    /// Of one day, in UTC.
    package var day: RetentionBound?

    package init(minute: RetentionBound? = nil, hour: RetentionBound? = nil, day: RetentionBound? = nil) {
        self.minute = minute
        self.hour = hour
        self.day = day
    }

    package var isEmpty: Bool { minute == nil && hour == nil && day == nil }
}
