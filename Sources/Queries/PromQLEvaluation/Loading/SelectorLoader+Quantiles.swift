import PromQL
import VigilModel
import VigilPorts

/// A `quantile_over_time` over a plain selector: samples answer it, and the store where samples went.
struct QuantileNeed: Hashable {
    let matchers: [LabelMatcher]
    /// The end of each step's stretch, which belongs to it.
    let moments: StepGrid
    let length: Int64
    let share: Double

    /// `nil` when the call is another, or its share no plain number from 0 to 1.
    init?(_ call: Call, on grid: StepGrid, _ context: QueryContext) throws(QueryError) {
        guard call.function.name == "quantile_over_time", call.arguments.count == 2,
            case .number(let share) = call.arguments[0].unwrapped.kind, (0...1).contains(share),
            case .range(let range) = call.arguments[1].unwrapped.kind, grid.count > 0
        else { return nil }
        self.share = share
        moments = try context.moments(range.selector.shift, on: grid)
        length = try context.positive(range.range)
        matchers = range.selector.matchers
    }

    /// So many questions are asked at most: stretches that overlap are asked in turns.
    static let turnsMax = 512

    /// The starts of the stretches, so that those of one list follow each other at whole lengths.
    var turns: [[Int64]] {
        var result: [Int64: [Int64]] = [:]
        for step in 0..<moments.count {
            let start = moments[step] - length + 1
            // What is left of whole lengths since the first.
            let turn = Int64(step) * moments.step % length
            if result[turn]?.last != start { result[turn, default: []].append(start) }
        }
        return Array(result.values)
    }
}

/// What the store knows of stretches whose samples went: the value at each step, by the labels of the series.
typealias GoneQuantiles = [LabelSet: [Int: Double]]

extension SelectorLoader {
    /// Asks the store for the quantiles of stretches of which it counts more numbers than there are samples.
    func quantiles(_ need: QuantileNeed, _ samples: [SampleSeries]) async throws(QueryError) -> GoneQuantiles {
        let first = need.moments.start - need.length + 1
        let all = Stretch(first: first, length: need.moments.last + 1 - first)
        let counts = try await windows(need, all, step: all.length)
        let known = Dictionary(samples.map { ($0.labels, $0) }, uniquingKeysWith: { first, _ in first })
        var gone: Set<LabelSet> = []
        for (labels, found) in counts {
            let there = known[labels].map { Self.count($0, from: first, to: need.moments.last) } ?? 0
            if Int(found.values.first?.first ?? 0) > there { gone.insert(labels) }
        }
        if gone.isEmpty { return [:] }
        let turns = need.turns
        guard turns.count <= QuantileNeed.turnsMax else {
            throw QueryError(
                .execution, "quantile_over_time over readings that went: a step that divides the range is needed")
        }
        var values: [LabelSet: [Int64: Double]] = [:]
        for starts in turns {
            guard let start = starts.first, let last = starts.last else { continue }
            let range = Stretch(first: start, length: last + need.length - start)
            for (labels, found) in try await windows(need, range, step: need.length, [need.share])
            where gone.contains(labels) {
                for (place, start) in found.starts.enumerated() {
                    let start = start.microseconds
                    let there = known[labels].map { Self.count($0, from: start, to: start + need.length - 1) } ?? 0
                    guard Int(found.values[0][place]) > there, let value = found.quantiles.first?[place] else {
                        continue
                    }
                    values[labels, default: [:]][start] = value
                }
            }
        }
        return values.mapValues { found in
            var steps: [Int: Double] = [:]
            for step in 0..<need.moments.count {
                // What went before sketches were kept has none.
                if let value = found[need.moments[step] - need.length + 1], !value.isNaN { steps[step] = value }
            }
            return steps
        }
    }

    private struct Stretch {
        let first: Int64
        let length: Int64
    }

    /// The numbers among the samples of a stretch, both ends of which belong to it.
    private static func count(_ series: SampleSeries, from first: Int64, to last: Int64) -> Int {
        var count = 0
        let stretch = RangeVector(
            series: [], moments: .instant(last), length: last - first + 1)
        for place in stretch.window(of: series, at: 0) where !StepSeries.isAbsent(series.values[place]) { count += 1 }
        return count
    }

    private func windows(
        _ need: QuantileNeed, _ range: Stretch, step: Int64, _ shares: [Double] = []
    ) async throws(QueryError) -> [(LabelSet, SeriesWindows)] {
        let stretch = TimeRange(
            Timestamp(microseconds: range.first), Timestamp(microseconds: range.first + range.length))
        guard let (plain, filter) = try Self.selection(need.matchers, stretch, context.patterns, context.known) else {
            return []
        }
        var selection = plain
        selection.sampleLimit = context.limits.samples
        let query = WindowQuery(
            selection, step: Span(microseconds: step), aggregates: [.count], quantiles: shares)
        do throws(StoreError) {
            var writer = LabelWriter()
            return try await store.windows(query, in: scope).filter { filter($0.identity) }
                .map { (writer.labels(of: $0.identity), $0) }
        } catch {
            throw QueryError(error)
        }
    }
}

extension Evaluator {
    /// Puts what the store knows of samples that went in the place of what is left of them.
    func withGone(
        _ series: [StepSeries], _ call: Call, on grid: StepGrid
    ) throws(QueryError) -> [StepSeries] {
        guard let need = try QuantileNeed(call, on: grid, context), var gone = loaded.quantiles[need], !gone.isEmpty
        else { return series }
        var result = series
        for index in result.indices {
            for (step, value) in gone.removeValue(forKey: result[index].labels) ?? [:] {
                result[index].values[step] = value
            }
        }
        for (labels, steps) in gone.sorted(by: { $0.key < $1.key }) where !steps.isEmpty {
            try context.check(cells: (result.count + 1) * grid.count)
            var values = [Double](repeating: StepSeries.absent, count: grid.count)
            for (step, value) in steps { values[step] = value }
            result.append(StepSeries(labels: labels, dropsName: true, values: values))
        }
        return result
    }
}
