import PromQL
import VigilModel

/// The series of a range vector, with the stretch that each step sees of them.
struct RangeVector {
    let series: [SampleSeries]
    /// The end of each step's stretch, which belongs to it; the start does not.
    let moments: StepGrid
    let length: Int64

    /// The places of the samples that a step sees.
    func window(of series: SampleSeries, at step: Int) -> Range<Int> {
        let end = moments[step]
        var low = Self.firstIndex(in: series.times, after: end - length)
        let high = Self.firstIndex(in: series.times, after: end)
        low = min(low, high)
        return low..<high
    }

    private static func firstIndex(in times: [Int64], after moment: Int64) -> Int {
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// What a function over time sees at one step.
struct Window {
    let times: UnsafeBufferPointer<Int64>
    let values: UnsafeBufferPointer<Double>
    /// The end of the stretch, in microseconds.
    let end: Int64
    let length: Int64
    /// The moment of the step, which an offset does not move.
    let moment: Int64

    var count: Int { values.count }
    var start: Int64 { end - length }
}

extension Evaluator {
    func ranges(of expression: Expression, on grid: StepGrid) throws(QueryError) -> RangeVector {
        switch expression.unwrapped.kind {
        case .range(let range):
            let series = (loaded.samples[range.selector.matchers] ?? []).map(Self.withoutMarkers)
            return RangeVector(
                series: series, moments: try context.moments(range.selector.shift, on: grid),
                length: try context.positive(range.range))
        case .subquery(let subquery):
            let (inner, moments, length) = try context.subgrid(subquery, on: grid)
            let series = try vector(subquery.expression, on: inner).map { Self.samples(of: $0, on: inner) }
            return RangeVector(series: series, moments: moments, length: length)
        default: throw mistake
        }
    }

    /// Stale markers end an instant's view, and are no samples of a range.
    private static func withoutMarkers(_ series: SampleSeries) -> SampleSeries {
        guard series.values.contains(where: StepSeries.isAbsent) else { return series }
        var result = series
        let kept = series.values.indices.filter { !StepSeries.isAbsent(series.values[$0]) }
        result.times = kept.map { series.times[$0] }
        result.values = kept.map { series.values[$0] }
        return result
    }

    private static func samples(of series: StepSeries, on grid: StepGrid) -> SampleSeries {
        let kept = series.values.indices.filter { !StepSeries.isAbsent(series.values[$0]) }
        return SampleSeries(
            labels: series.labels, dropsName: series.dropsName, times: kept.map { grid[$0] },
            values: kept.map { series.values[$0] })
    }

    /// Applies `function` to what each step sees of each series; `nil` gives no value.
    func overTime(
        _ argument: Expression, on grid: StepGrid, keepsName: Bool = false,
        _ function: (Window, Int) -> Double?
    ) throws(QueryError) -> [StepSeries] {
        let ranges = try ranges(of: argument, on: grid)
        try context.check(cells: ranges.series.count * grid.count)
        var result: [StepSeries] = []
        for series in ranges.series {
            try context.check()
            let values = try self.values(of: series, ranges, on: grid, function)
            guard !values.allSatisfy(StepSeries.isAbsent) else { continue }
            result.append(
                StepSeries(labels: series.labels, dropsName: series.dropsName || !keepsName, values: values))
        }
        return result
    }

    /// Samples of windows that are looked at before a query is asked again whether it is still wanted.
    private static let windowSamplesUnchecked = 1 << 18

    private func values(
        of series: SampleSeries, _ ranges: RangeVector, on grid: StepGrid, _ function: (Window, Int) -> Double?
    ) throws(QueryError) -> [Double] {
        var values = [Double](repeating: StepSeries.absent, count: grid.count)
        // Windows that overlap make much work of one series.
        var unchecked = 0
        try series.times.withUnsafeBufferPointer { (times) throws(QueryError) in
            try series.values.withUnsafeBufferPointer { (samples) throws(QueryError) in
                for step in 0..<grid.count {
                    let places = ranges.window(of: series, at: step)
                    guard !places.isEmpty else { continue }
                    unchecked += places.count
                    if unchecked > Self.windowSamplesUnchecked {
                        try context.check()
                        unchecked = 0
                    }
                    let window = Window(
                        times: UnsafeBufferPointer(rebasing: times[places]),
                        values: UnsafeBufferPointer(rebasing: samples[places]),
                        end: ranges.moments[step], length: ranges.length, moment: grid[step])
                    if let value = function(window, step) { values[step] = value }
                }
            }
        }
        return values
    }
}
