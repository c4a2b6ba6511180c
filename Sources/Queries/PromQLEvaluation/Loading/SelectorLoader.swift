import PromQL
import VigilModel
import VigilPorts

/// What a query needs of the store.
struct LoadedSeries {
    var samples: [[LabelMatcher]: [SampleSeries]] = [:]
    var windows: [WindowNeed: [FoldedSeries]] = [:]
    /// Where samples went; none where all are there.
    var quantiles: [QuantileNeed: GoneQuantiles] = [:]
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
        /// Whether only the newest sample in the stretch is looked at.
        var isInstant: Bool
    }

    /// All that an expression needs.
    struct Needs {
        var samples: [[LabelMatcher]: Need] = [:]
        var windows: [WindowNeed: Set<WindowQuery.Aggregate>] = [:]
        /// Those of which somebody looks at the labels: an aggregation over everything does not.
        var labelled: Set<WindowNeed> = []
        var quantiles: Set<QuantileNeed> = []
    }

    /// The samples of each selector of the query, by its matchers, and the windows of those that need no samples.
    func load(_ expression: Expression) async throws(QueryError) -> LoadedSeries {
        let needs: Needs
        if let known = context.needs { needs = known } else { needs = try Self.needs(of: expression, context) }
        var loaded = LoadedSeries()
        var budget = context.limits.samples
        for need in needs.samples.values {
            let series = try await samples(need, budget: &budget)
            loaded.samples[need.matchers] = series
        }
        for (need, aggregates) in needs.windows {
            loaded.windows[need] = try await windows(need, aggregates, isLabelled: needs.labelled.contains(need))
        }
        for need in needs.quantiles {
            loaded.quantiles[need] = try await quantiles(need, loaded.samples[need.matchers] ?? [])
        }
        return loaded
    }

    static func needs(of expression: Expression, _ context: QueryContext) throws(QueryError) -> Needs {
        var needs = Needs()
        try collect(expression, on: context.grid, context, into: &needs)
        return needs
    }

    private static func collect(
        _ expression: Expression, on grid: StepGrid, _ context: QueryContext, isLabelled: Bool = true,
        into needs: inout Needs
    ) throws(QueryError) {
        switch expression.kind {
        case .parentheses(let inner):
            try collect(inner, on: grid, context, isLabelled: isLabelled, into: &needs)
        case .aggregation(let aggregation) where aggregation.joinsAll:
            try collect(aggregation.expression, on: grid, context, isLabelled: false, into: &needs)
        case .vector(let selector):
            let back = context.limits.lookback.microseconds
            try add(selector, back: back, isInstant: true, try context.moments(selector.shift, on: grid), into: &needs)
        case .range(let range):
            try add(
                range.selector, back: try context.positive(range.range), isInstant: false,
                try context.moments(range.selector.shift, on: grid), into: &needs)
        case .subquery(let subquery):
            let (inner, _, _) = try context.subgrid(subquery, on: grid)
            try collect(subquery.expression, on: inner, context, into: &needs)
        case .call(let call):
            if let need = try QuantileNeed(call, on: grid, context) { needs.quantiles.insert(need) }
            for argument in call.arguments {
                if let need = try WindowNeed(call.function.name, argument, on: grid, context) {
                    needs.windows[need, default: []].formUnion(FoldedFunction.aggregates(of: call.function.name) ?? [])
                    // Other functions around it are collected with labels.
                    if isLabelled { needs.labelled.insert(need) }
                } else {
                    try collect(argument, on: grid, context, into: &needs)
                }
            }
        default:
            for child in expression.kind.children { try collect(child, on: grid, context, into: &needs) }
        }
    }

    private static func add(
        _ selector: VectorSelector, back: Int64, isInstant: Bool, _ moments: StepGrid, into needs: inout Needs
    ) throws(QueryError) {
        let (from, to) = (moments.start - back + 1, moments.last)
        let isInstant = isInstant && moments.start == moments.last
        guard var need = needs.samples[selector.matchers] else {
            needs.samples[selector.matchers] = Need(
                matchers: selector.matchers, from: from, to: to, isInstant: isInstant)
            return
        }
        need.isInstant = need.isInstant && isInstant && need.from == from && need.to == to
        need.from = min(need.from, from)
        need.to = max(need.to, to)
        needs.samples[selector.matchers] = need
    }

    private func samples(_ need: Need, budget: inout Int) async throws(QueryError) -> [SampleSeries] {
        let range = TimeRange(Timestamp(microseconds: need.from), Timestamp(microseconds: need.to + 1))
        guard let (selection, filter) = try Self.selection(need.matchers, range, context.patterns, context.known)
        else { return [] }
        do throws(StoreError) {
            // Where a file is damaged the store names it when samples are asked for; of the newest it knows what is left.
            let isWhole = (store as? any StoreInspecting)?.knownDamage == nil
            let found =
                need.isInstant && isWhole
                ? try await newest(need, selection, filter, &budget)
                : try await samples(selection, filter, &budget)
            return found.sorted { $0.labels < $1.labels }
        } catch {
            throw QueryError(error)
        }
    }

    private func samples(
        _ plain: SeriesSelection, _ filter: (SeriesIdentity) -> Bool, _ budget: inout Int
    ) async throws(StoreError) -> [SampleSeries] {
        var selection = plain
        selection.sampleLimit = budget
        var found: [SampleSeries] = []
        var writer = LabelWriter()
        var current: SeriesIdentity?
        let cursor = try await store.samples(selection, in: scope)
        while let piece = try await cursor.next() {
            guard filter(piece.identity) else { continue }
            budget -= piece.samples.count
            guard budget >= 0 else {
                throw StoreError(.limit, "query processing would load too many samples into memory")
            }
            // The pieces of a series come one after the other.
            if current != piece.identity {
                found.append(SampleSeries(labels: writer.labels(of: piece.identity), times: [], values: []))
                current = piece.identity
                try checkCount(found.count)
            }
            let last = found.count - 1
            found[last].times.reserveCapacity(found[last].times.count + piece.samples.count)
            found[last].values.reserveCapacity(found[last].values.count + piece.samples.count)
            for sample in piece.samples {
                guard let number = sample.value.number else { continue }
                found[last].times.append(sample.time.microseconds)
                found[last].values.append(number)
            }
        }
        return found.filter { !$0.times.isEmpty }
    }

    /// The newest sample of each series in the stretch, of which the store knows most without reading any other.
    ///
    /// Where its newest is younger than the stretch, or no number, the samples of that device are read.
    private func newest(
        _ need: Need, _ selection: SeriesSelection, _ filter: (SeriesIdentity) -> Bool, _ budget: inout Int
    ) async throws(StoreError) -> [SampleSeries] {
        let latest = try await store.latest(selection.matchers, devices: selection.devices, in: scope)
            .filter { filter($0.identity) }
        try checkCount(latest.count)
        var unknown: Set<DeviceID> = []
        for item in latest where item.sample.time.microseconds > need.to || item.sample.value.number == nil {
            guard let device = item.identity.device else { return try await samples(selection, filter, &budget) }
            unknown.insert(device)
        }
        var found: [SampleSeries] = []
        found.reserveCapacity(latest.count)
        var writer = LabelWriter()
        for item in latest where item.sample.time.microseconds >= need.from {
            if let device = item.identity.device, unknown.contains(device) { continue }
            guard let number = item.sample.value.number else { continue }
            found.append(
                SampleSeries(
                    labels: writer.labels(of: item.identity), times: [item.sample.time.microseconds], values: [number]))
        }
        budget -= found.count
        guard !unknown.isEmpty else { return found }
        var rest = selection
        rest.devices = unknown
        return found + (try await samples(rest, filter, &budget))
    }

    private func checkCount(_ count: Int) throws(StoreError) {
        guard count <= context.limits.series else { throw StoreError(.limit, "the query selects too many series") }
    }

    private func windows(
        _ need: WindowNeed, _ aggregates: Set<WindowQuery.Aggregate>, isLabelled: Bool
    ) async throws(QueryError) -> [FoldedSeries] {
        let range = TimeRange(
            Timestamp(microseconds: need.origin), Timestamp(microseconds: need.moments.last + 1))
        guard let (plain, filter) = try Self.selection(need.matchers, range, context.patterns, context.known)
        else { return [] }
        var selection = plain
        selection.sampleLimit = context.limits.samples
        // The order of the aggregates is that of their declaration.
        let asked = WindowQuery.Aggregate.allCases.filter(aggregates.contains)
        let query = WindowQuery(selection, step: Span(microseconds: need.width), aggregates: asked)
        do throws(StoreError) {
            let found = try await store.windows(query, in: scope)
            guard isLabelled else {
                let wanted = found.filter { filter($0.identity) }
                try checkCount(wanted.count)
                return wanted.map { FoldedSeries(labels: .empty, windows: $0.windows) }
            }
            let selection = context.known.selections.selection(need.matchers, of: found, filter)
            try checkCount(selection.places.count)
            return selection.places.indices.map { place in
                FoldedSeries(labels: selection.labels[place], windows: found[selection.places[place]].windows)
            }
        } catch {
            throw QueryError(error)
        }
    }

    /// What the store is asked for to serve `matchers`, with a test for what it cannot decide; `nil` when nothing fits.
    ///
    /// Series whose names begin with two underscores are Vigil's own and no answer to anybody.
    static func selection(
        _ matchers: [LabelMatcher], _ range: TimeRange, _ patterns: PatternEngine, _ known: KnownExpressions
    ) throws(QueryError) -> (SeriesSelection, (SeriesIdentity) -> Bool)? {
        let own = matchers.filter { $0.name == deviceLabel }
        var selection = SeriesSelection(matchers.filter { $0.name != deviceLabel }, range: range)
        if !matchers.contains(where: { $0.name == LabelMatcher.metricName && $0.operation == .equal }) {
            selection.matchers.append(LabelMatcher(LabelMatcher.metricName, .notMatches, "__.*"))
        }
        var unnamed: [LabelMatcher] = []
        for matcher in own {
            guard let devices = known.devices(namedBy: matcher) else {
                unnamed.append(matcher)
                continue
            }
            selection.devices = selection.devices.map { $0.intersection(devices) } ?? devices
            if selection.devices?.isEmpty == true { return nil }
        }
        let test = try deviceTest(unnamed, patterns)
        return (selection, { !$0.metric.hasPrefix("__") && test($0) })
    }

    /// The texts that a matcher lets through, where it names them: `=`, and patterns as dashboards make them of a choice.
    static func literals(of matcher: LabelMatcher) -> [String]? {
        switch matcher.operation {
        case .equal: return matcher.value.isEmpty ? nil : [matcher.value]
        case .matches:
            var text = matcher.value[...]
            if text.hasPrefix("("), text.hasSuffix(")") { text = text.dropFirst().dropLast() }
            let isPlain = text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "-"), UInt8(ascii: "|"): true
                default: false
                }
            }
            guard isPlain, !text.isEmpty else { return nil }
            let names = text.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
            // An empty one is met by series without a device.
            return names.contains { $0.isEmpty } ? nil : names.map { String(Substring($0)) }
        case .notEqual, .notMatches: return nil
        }
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
        if tests.isEmpty { return { _ in true } }
        return { identity in
            let value = identity.device?.description ?? ""
            return tests.allSatisfy { $0(value) }
        }
    }
}

extension Aggregation {
    /// Whether all series become one, whose value is made of theirs and of nothing else.
    fileprivate var joinsAll: Bool {
        guard !isWithout, labels.isEmpty, parameter == nil else { return false }
        return switch operation {
        case .sum, .average, .minimum, .maximum, .count, .deviation, .variance: true
        default: false
        }
    }
}

/// Makes the labels of series; those of one device mostly follow each other.
struct LabelWriter {
    private var device: DeviceID?
    private var text = ""

    mutating func labels(of identity: SeriesIdentity) -> LabelSet {
        guard let device = identity.device else { return LabelSet(metric: identity.metric, labels: identity.labels) }
        if device != self.device {
            self.device = device
            text = device.description
        }
        return LabelSet(metric: identity.metric, labels: identity.labels, (SelectorLoader.deviceLabel, text))
    }
}
