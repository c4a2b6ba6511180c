import PromQL
import VigilModel
import VigilPorts

/// A query that was read, with what it is evaluated on.
struct Question {
    let expression: Expression
    let context: QueryContext

    /// A question about no more devices than this, and at no more steps in all, takes less time than changing threads.
    private static let devicesMax = 16
    private static let stepsMax = 2048
    private static let sourceBytesMax = 4096

    /// Whether it can only be about a few series, of which it needs windows or the newest sample: the store knows these
    /// at once, or goes to other threads by itself.
    var isNarrow: Bool {
        get throws(QueryError) {
            guard context.grid.count <= Self.stepsMax, context.sourceBytes <= Self.sourceBytesMax else { return false }
            let needs = try SelectorLoader.needs(of: expression, context)
            context.needs = needs
            var steps = 0
            for need in needs.samples.values {
                guard need.isInstant else { return false }
                steps += devices(need.matchers) ?? Self.stepsMax + 1
            }
            for need in needs.windows.keys {
                let parts = need.length / need.width
                steps += (devices(need.matchers) ?? Self.stepsMax + 1) * (need.moments.count + Int(parts))
            }
            return steps <= Self.stepsMax
        }
    }

    /// How many devices the matchers name, when they also name one metric.
    private func devices(_ matchers: [LabelMatcher]) -> Int? {
        guard matchers.contains(where: { $0.name == LabelMatcher.metricName && $0.operation == .equal }) else {
            return nil
        }
        let named = matchers.filter { $0.name == SelectorLoader.deviceLabel }
        let count = named.compactMap { context.known.devices(namedBy: $0)?.count }.min()
        guard let count, count <= Self.devicesMax,
            matchers.allSatisfy({ $0.operation == .equal || $0.name == SelectorLoader.deviceLabel })
        else { return nil }
        return count
    }
}
