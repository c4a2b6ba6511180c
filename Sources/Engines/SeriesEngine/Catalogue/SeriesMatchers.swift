import PatternKit
import VigilModel
import VigilPorts

/// The matchers of a selection, with their patterns compiled, parted into those on the metric and those on labels.
struct SeriesMatchers: Sendable {
    struct Condition: Sendable {
        let name: String
        let operation: LabelMatcher.Operation
        let value: String
        let pattern: Pattern?

        func holds(_ text: String) -> Bool {
            switch operation {
            case .equal: text == value
            case .notEqual: text != value
            case .matches: pattern?.matchesWhole(text) ?? false
            case .notMatches: !(pattern?.matchesWhole(text) ?? false)
            }
        }
    }

    private let metric: [Condition]
    let labels: [Condition]
    let devices: Set<DeviceID>?
    static let countMax = 64

    /// - Throws: `invalid` for a malformed pattern, `limit` for too many matchers.
    init(_ matchers: [LabelMatcher], devices: Set<DeviceID>? = nil) throws(StoreError) {
        guard matchers.count <= Self.countMax else { throw StoreError(.limit, "a selection has too many matchers") }
        var metric: [Condition] = []
        var labels: [Condition] = []
        for matcher in matchers {
            var pattern: Pattern?
            if matcher.operation == .matches || matcher.operation == .notMatches {
                pattern = Pattern(matcher.value)
                guard pattern != nil else {
                    throw StoreError(.invalid, "a pattern is not RE2 syntax", details: ["label": matcher.name])
                }
            }
            let condition = Condition(
                name: matcher.name, operation: matcher.operation, value: matcher.value, pattern: pattern)
            if matcher.name == LabelMatcher.metricName { metric.append(condition) } else { labels.append(condition) }
        }
        self.metric = metric
        self.labels = labels
        self.devices = devices
    }

    var hasMetric: Bool { !metric.isEmpty }

    func matches(metric name: String) -> Bool { metric.allSatisfy { $0.holds(name) } }

    /// The one metric that can match, when a matcher says so.
    var metricName: String? { metric.first { $0.operation == .equal }?.value }
}
