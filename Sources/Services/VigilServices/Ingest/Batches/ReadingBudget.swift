package import VigilModel

/// How many readings a tenant may still send: it fills up steadily, and a burst of ten seconds is free.
package struct ReadingBudget: Sendable {
    private static let burst = Span.seconds(10)

    private let perSecond: Int
    private var left: Double
    private var time: Timestamp

    /// - Parameter perSecond: 0: any number.
    package init(perSecond: Int, at time: Timestamp) {
        self.perSecond = perSecond
        self.time = time
        left = Double(perSecond) * Self.burst.seconds
    }

    /// Takes `count` readings, or takes none and says how long to wait.
    ///
    /// A batch larger than a burst is let in when nothing was sent for as long as a burst, else nobody could ever send it;
    /// those after it wait for what it took.
    package mutating func spend(_ count: Int, at now: Timestamp) -> Span? {
        guard perSecond > 0 else { return nil }
        let full = Double(perSecond) * Self.burst.seconds
        left = min(full, left + max(0, (now - time).seconds) * Double(perSecond))
        time = now
        let needed = min(Double(count), full)
        guard left >= needed else {
            return Span(microseconds: Int64(((needed - left) / Double(perSecond) * 1e6).rounded(.up)))
        }
        left -= Double(count)
        return nil
    }
}
