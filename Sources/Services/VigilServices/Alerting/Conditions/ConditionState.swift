package import VigilModel

/// Where a rule stands for one subject, as of some sample.
///
/// A value with a pure step, so that live readings, late readings, imports and dry runs judge alike:
/// the time of the **first** breaching sample is kept, the first sample that does not breach clears it, and the alert is
/// due when a breaching sample is `hold` later than the first.
package struct ConditionState: Sendable, Hashable {
    /// The first breaching sample of the present episode; `nil`: normal.
    package var since: Timestamp?
    /// Whether this episode has raised its alert.
    package var hasFired: Bool
    /// When an alert was last raised, in this or an earlier episode.
    package var lastFired: Timestamp?

    package init(since: Timestamp? = nil, hasFired: Bool = false, lastFired: Timestamp? = nil) {
        self.since = since
        self.hasFired = hasFired
        self.lastFired = lastFired
    }

    package static let normal = ConditionState()

    /// `normal`, `pending` or `active`.
    package var name: String { since == nil ? "normal" : hasFired ? "active" : "pending" }

    /// What a sample changed.
    package enum Change: Sendable, Hashable {
        /// The first breaching sample; not yet for long enough.
        case began
        /// An alert is due. `since` is the first breaching sample.
        case fired(since: Timestamp)
        /// It was breached, and is no longer.
        case recovered(hadFired: Bool)
    }

    /// Judges one sample.
    ///
    /// - Parameters:
    ///   - mayFire: Asked only when an alert would be due: schedule, maintenance, age.
    package mutating func advance(
        to time: Timestamp, isBreached: Bool, hold: Span, cooldown: Span, mayFire: (Timestamp) -> Bool
    ) -> Change? {
        guard isBreached else {
            guard since != nil else { return nil }
            let change = Change.recovered(hadFired: hasFired)
            since = nil
            hasFired = false
            return change
        }
        let first = since ?? time
        let began = since == nil
        since = first
        if time - first >= hold, !hasFired || cooldown.microseconds > 0,
            lastFired.map({ time - $0 >= cooldown }) ?? true, mayFire(time)
        {
            hasFired = true
            lastFired = time
            return .fired(since: first)
        }
        return began ? .began : nil
    }
}

/// A state and the sample at which it began.
package struct ConditionStep: Sendable, Hashable {
    package var time: Timestamp
    package var state: ConditionState
}
