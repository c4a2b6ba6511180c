import Synchronization
import VigilModel

/// What retention has done since the process started, for `/metrics`.
final class RetentionCounts: Sendable {
    private struct State {
        var removed: [RetentionSubject: Int] = [:]
        var last: Timestamp?
    }

    private let state = Mutex(State())

    func add(_ items: [RetentionReport.Item], at time: Timestamp) {
        state.withLock { state in
            for item in items where item.fate == "goes" { state.removed[item.subject, default: 0] += item.count }
            state.last = time
        }
    }

    var families: [MetricFamily] {
        let (removed, last) = state.withLock { ($0.removed, $0.last) }
        var family = MetricFamily(
            "vigil_retention_removed_total", "Rows, readings and files that were past their time and went.", .counter)
        for subject in RetentionSubject.allCases {
            family.add(Double(removed[subject] ?? 0), [("subject", subject.rawValue)])
        }
        guard let last else { return [family] }
        return [
            family,
            MetricFamily(
                "vigil_retention_last_run_timestamp_seconds", "When retention was applied last, in seconds since 1970.",
                .gauge, value: last.secondsSince1970),
        ]
    }
}

extension RetentionService {
    /// What it has done, for `/metrics`.
    package var families: [MetricFamily] { counts.families }
}
