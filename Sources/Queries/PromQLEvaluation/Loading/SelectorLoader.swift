import PromQL
import VigilModel
import VigilPorts

/// What a query needs of the store.
struct LoadedSeries {
    var samples: [[LabelMatcher]: [SampleSeries]] = [:]
    var windows: [WindowNeed: [FoldedSeries]] = [:]
}

/// Reads what a query needs, before it is evaluated: windows where a function needs no more, samples elsewhere.
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

    /// All that an expression needs.
    struct Needs {
        var samples: [[LabelMatcher]: Need] = [:]
        var windows: [WindowNeed: Set<WindowQuery.Aggregate>] = [:]
    }

    /// The samples of each selector, by its matchers, and the windows of those that need no samples.
    func load(_ expression: Expression) async throws(QueryError) -> LoadedSeries {
        var needs = Needs()
        try collect(expression, on: context.grid, into: &needs)
        var loaded = LoadedSeries()
        var budget = context.limits.samples
        for need in needs.samples.values {
            let series = try await samples(need, budget: &budget)
            loaded.samples[need.matchers] = series
        }
        for (need, aggregates) in needs.windows {
            loaded.windows[need] = try await windows(need, aggregates)
        }
        return loaded
    }

    private func collect(_ expression: Expression, on grid: StepGrid, into needs: inout Needs) throws(QueryError) {
        switch expression.kind {
        case .vector(let selector):
            try add(selector, back: context.limits.lookback.microseconds, on: grid, into: &needs)
        case .range(let range):
            try add(range.selector, back: try context.positive(range.range), on: grid, into: &needs)
        case .subquery(let subquery):
            let (inner, _, _) = try context.subgrid(subquery, on: grid)
            try collect(subquery.expression, on: inner, into: &needs)
        case .call(let call):
            for argument in call.arguments {
                if let need = try WindowNeed(call.function.name, argument, on: grid, context) {
                    needs.windows[need, default: []].formUnion(FoldedFunction.aggregates(of: call.function.name) ?? [])
                } else {
                    try collect(argument, on: grid, into: &needs)
                }
            }
        default:
            for child in expression.kind.children { try collect(child, on: grid, into: &needs) }
        }
    }

    private func add(
        _ selector: VectorSelector, back: Int64, on grid: StepGrid, into needs: inout Needs
    ) throws(QueryError) {
        let moments = try context.moments(selector.shift, on: grid)
        let (from, to) = (moments.start - back + 1, moments.last)
        guard var need = needs.samples[selector.matchers] else {
            needs.samples[selector.matchers] = Need(matchers: selector.matchers, from: from, to: to)
            return
        }
        need.from = min(need.from, from)
        need.to = max(need.to, to)
        needs.samples[selector.matchers] = need
    }

    private func samples(_ need: Need, budget: inout Int) async throws(QueryError) -> [SampleSeries] {
        let range = TimeRange(Timestamp(microseconds: need.from), Timestamp(microseconds: need.to + 1))
        guard let (plain, filter) = try Self.selection(need.matchers, range, context.patterns) else { return [] }
        var selection = plain
        selection.sampleLimit = budget
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

    private func windows(
        _ need: WindowNeed, _ aggregates: Set<WindowQuery.Aggregate>
    ) async throws(QueryError) -> [FoldedSeries] {
        let range = TimeRange(
            Timestamp(microseconds: need.origin), Timestamp(microseconds: need.moments.last + 1))
        guard let (plain, filter) = try Self.selection(need.matchers, range, context.patterns) else { return [] }
        var selection = plain
        selection.sampleLimit = context.limits.samples
        // The order of the aggregates is that of their declaration.
        let asked = WindowQuery.Aggregate.allCases.filter(aggregates.contains)
        let query = WindowQuery(selection, step: Span(microseconds: need.width), aggregates: asked)
        do throws(StoreError) {
            let found = try await store.windows(query, in: scope).filter { filter($0.identity) }
            guard found.count <= context.limits.series else {
                throw StoreError(.limit, "the query selects too many series")
            }
            return found.map { FoldedSeries($0, labels: Self.labels(of: $0.identity), aggregates: asked) }
                .sorted { $0.labels < $1.labels }
        } catch {
            throw QueryError(error)
        }
    }

    /// What the store is asked for to serve `matchers`, with a test for what it cannot decide; `nil` when nothing fits.
    ///
    /// Series whose names begin with two underscores are Vigil's own and no answer to anybody.
    static func selection(
        _ matchers: [LabelMatcher], _ range: TimeRange, _ patterns: PatternEngine
    ) throws(QueryError) -> (SeriesSelection, (SeriesIdentity) -> Bool)? {
        let own = matchers.filter { $0.name == deviceLabel }
        var selection = SeriesSelection(matchers.filter { $0.name != deviceLabel }, range: range)
        if !matchers.contains(where: { $0.name == LabelMatcher.metricName && $0.operation == .equal }) {
            selection.matchers.append(LabelMatcher(LabelMatcher.metricName, .notMatches, "__.*"))
        }
        for matcher in own where matcher.operation == .equal && !matcher.value.isEmpty {
            guard let device = DeviceID(matcher.value) else { return nil }
            selection.devices = selection.devices.map { $0.intersection([device]) } ?? [device]
        }
        let test = try deviceTest(own, patterns)
        return (selection, { !$0.metric.hasPrefix("__") && test($0) })
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
