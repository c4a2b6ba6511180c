import VigilModel

/// Readings to be judged, after they were made durable.
struct EvaluationWork: Sendable {
    /// A series to be judged again from the store: after a crash, or because somebody asked.
    struct Revisit: Sendable {
        let device: DeviceEntry?
        let identity: SeriesIdentity
        let unit: String?
        let from: Timestamp
        let currentFrom: Timestamp
        /// Where old readings raise alerts too.
        let evaluated: TimeRange?
        /// The metric under which the device's handler watches this series, when that is not its own.
        var watchedAs: String?
    }

    /// The rows of a batch.
    var prepared = PreparedRows()
    /// Rows older than this raise nothing.
    var currentFrom = Timestamp.distantPast
    var revisits: [Revisit] = []
}

/// What judging did to one condition, to be written in one transaction.
struct ConditionOutcome: Sendable {
    enum Event: Sendable {
        case fired(at: Timestamp, since: Timestamp, value: ReadingValue)
        case recovered(at: Timestamp)
    }

    let rule: CompiledRule
    let key: ConditionCell.Key
    let identity: SeriesIdentity
    let device: DeviceEntry?
    /// The unit that values of events are in.
    let unit: String?
    var events: [Event] = []
    var record: ConditionRecord?
    /// What was judged anew: alerts in it that did not come out again are retracted.
    var window: TimeRange?
    /// Where an occurrence that has ended already is written as closed.
    var evaluated: TimeRange?
}
