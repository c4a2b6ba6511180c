import PromQL
import VigilModel
import VigilPorts

/// Reads the samples that a query needs, before it is evaluated.
///
/// This is the seam where a store will be asked for windows instead of samples when a function needs no more.
struct SelectorLoader {
    let store: any SeriesStore
    let scope: AccessScope
    let context: QueryContext

    /// The label that names the device of a series, made from its identity: two devices may report the same labels.
    static let deviceLabel = "device_id"

    /// What a selector needs: its matchers over a stretch of time, both ends included.
    struct Need: Hashable {
        let matchers: [LabelMatcher]
        var from: Int64
        var to: Int64
    }

    /// The samples of each selector, by its matchers.
    func load(_ expression: Expression) async throws(QueryError) -> [[LabelMatcher]: [SampleSeries]] {
        var needs: [[LabelMatcher]: Need] = [:]
        try collect(expression, on: context.grid, into: &needs)
        var loaded: [[LabelMatcher]: [SampleSeries]] = [:]
        var budget = context.limits.samples
        for need in needs.values {
            let series = try await samples(need, budget: &budget)
            loaded[need.matchers] = series
        }
        return loaded
    }

    private func collect(
        _ expression: Expression, on grid: StepGrid, into needs: inout [[LabelMatcher]: Need]
    ) throws(QueryError) {
        switch expression.kind {
        case .vector(let selector):
            try add(selector, back: context.limits.lookback.microseconds, on: grid, into: &needs)
        case .range(let range):
            try add(range.selector, back: try context.positive(range.range), on: grid, into: &needs)
        case .subquery(let subquery):
            let (inner, _, _) = try context.subgrid(subquery, on: grid)
            try collect(subquery.expression, on: inner, into: &needs)
        default:
            for child in expression.kind.children { try collect(child, on: grid, into: &needs) }
        }
    }

    private func add(
        _ selector: VectorSelector, back: Int64, on grid: StepGrid, into needs: inout [[LabelMatcher]: Need]
    ) throws(QueryError) {
        let moments = try context.moments(selector.shift, on: grid)
        let (from, to) = (moments.start - back + 1, moments.last)
        guard var need = needs[selector.matchers] else {
            needs[selector.matchers] = Need(matchers: selector.matchers, from: from, to: to)
            return
        }
        need.from = min(need.from, from)
        need.to = max(need.to, to)
        needs[selector.matchers] = need
    }

    private func samples(_ need: Need, budget: inout Int) async throws(QueryError) -> [SampleSeries] {
        let range = TimeRange(Timestamp(microseconds: need.from), Timestamp(microseconds: need.to + 1))
        let own = need.matchers.filter { $0.name == Self.deviceLabel }
        let selection = SeriesSelection(
            need.matchers.filter { $0.name != Self.deviceLabel }, range: range, sampleLimit: budget)
        let filter = try Self.deviceTest(own, context.patterns)
        var found: [SeriesIdentity: SampleSeries] = [:]
        do throws(StoreError) {
            let cursor = try await store.samples(selection, in: scope)
            while let piece = try await cursor.next() {
                guard filter(piece.identity) else { continue }
                budget -= piece.samples.count
                guard budget >= 0 else {
                    throw StoreError(.limit, "query processing would load too many samples into memory")
                }
                var series =
                    found[piece.identity]
                    ?? SampleSeries(labels: Self.labels(of: piece.identity), times: [], values: [])
                found[piece.identity] = nil
                for sample in piece.samples {
                    guard let number = sample.value.number else { continue }
                    series.times.append(sample.time.microseconds)
                    series.values.append(number)
                }
                found[piece.identity] = series
                guard found.count <= context.limits.series else {
                    throw StoreError(.limit, "the query selects too many series")
                }
            }
        } catch {
            throw QueryError(error)
        }
        return found.values.filter { !$0.times.isEmpty }.sorted { $0.labels < $1.labels }
    }

    static func labels(of identity: SeriesIdentity) -> LabelSet {
        var labels = LabelSet(metric: identity.metric, labels: identity.labels)
        if let device = identity.device { labels.set(deviceLabel, to: device.description) }
        return labels
    }

    /// A test for matchers on the device, which the store does not know as a label.
    static func deviceTest(
        _ matchers: [LabelMatcher], _ patterns: PatternEngine
    ) throws(QueryError) -> (SeriesIdentity) -> Bool {
        var tests: [(String) -> Bool] = []
        for matcher in matchers {
            switch matcher.operation {
            case .equal: tests.append { $0 == matcher.value }
            case .notEqual: tests.append { $0 != matcher.value }
            case .matches, .notMatches:
                guard let pattern = patterns.compile(matcher.value) else {
                    throw QueryError(.badData, "invalid regular expression in a matcher on \(matcher.name)")
                }
                let wanted = matcher.operation == .matches
                tests.append { (pattern.groups($0) != nil) == wanted }
            }
        }
        return { identity in
            let value = identity.device?.description ?? ""
            return tests.allSatisfy { $0(value) }
        }
    }
}
