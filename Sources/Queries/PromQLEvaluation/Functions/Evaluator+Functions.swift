import PromQL
import VigilModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Evaluator {
    func evaluate(_ call: Call, _ expression: Expression, on grid: StepGrid) throws(QueryError) -> StepValue {
        let arguments = call.arguments
        if let constant = constant(call.function.name, on: grid) { return .scalar(constant) }
        if let change = Self.perValue(call.function.name), let argument = arguments.first {
            return .vector(try mapped(try vector(argument, on: grid), change))
        }
        if let part = Self.partOfTime(call.function.name) {
            if let argument = arguments.first { return .vector(try mapped(try vector(argument, on: grid), part)) }
            let values = (0..<grid.count).map { part(Double(grid[$0]) / 1e6) }
            return .vector([StepSeries(labels: .empty, values: values)])
        }
        if let result = try overTime(call, expression, on: grid) { return .vector(result) }
        switch call.function.name {
        case "scalar": return .scalar(try onlyValues(arguments[0], on: grid))
        case "min_of", "max_of":
            let isMinimum = call.function.name == "min_of"
            return .scalar(
                zip(try scalar(arguments[0], on: grid), try scalar(arguments[1], on: grid)).map { left, right in
                    left.isNaN || right.isNaN ? .nan : isMinimum ? min(left, right) : max(left, right)
                })
        default: return .vector(try vectorFunction(call, expression, on: grid))
        }
    }

    private func constant(_ name: String, on grid: StepGrid) -> [Double]? {
        switch name {
        case "time": (0..<grid.count).map { Double(grid[$0]) / 1e6 }
        case "pi": [Double](repeating: .pi, count: grid.count)
        case "start": [Double](repeating: Double(context.grid.start) / 1e6, count: grid.count)
        case "end": [Double](repeating: Double(context.grid.last) / 1e6, count: grid.count)
        case "step": [Double](repeating: context.isRange ? Double(context.grid.step) / 1e6 : 0, count: grid.count)
        case "range":
            [Double](repeating: Double(context.grid.last - context.grid.start) / 1e6, count: grid.count)
        default: nil
        }
    }

    private func vectorFunction(_ call: Call, _ expression: Expression, on grid: StepGrid) throws(QueryError)
        -> [StepSeries]
    {
        let arguments = call.arguments
        switch call.function.name {
        case "vector": return [StepSeries(labels: .empty, values: try scalar(arguments[0], on: grid))]
        case "absent": return try absent(arguments[0], on: grid)
        case "timestamp": return try timestamps(arguments[0], on: grid)
        case "round": return try rounded(arguments, on: grid)
        case "clamp", "clamp_min", "clamp_max": return try clamped(call, on: grid)
        case "sort", "sort_desc": return try sorted(call, expression, on: grid)
        case "sort_by_label", "sort_by_label_desc": return try sortedByLabel(call, expression, on: grid)
        case "label_replace": return try labelReplaced(arguments, on: grid)
        case "label_join": return try labelJoined(arguments, on: grid)
        case "histogram_quantile", "histogram_quantiles", "histogram_fraction":
            return try histogram(call, expression, on: grid)
        case "histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar":
            // They look at native histograms, which no series holds; plain numbers are passed over.
            _ = try vector(arguments[0], on: grid)
            return []
        default: throw mistake
        }
    }

    // MARK: - Value by value

    private static func perValue(_ name: String) -> ((Double) -> Double)? {
        switch name {
        case "abs": { abs($0) }
        case "ceil": { $0.rounded(.up) }
        case "floor": { $0.rounded(.down) }
        case "exp": { exp($0) }
        case "sqrt": { $0 < 0 ? .nan : $0.squareRoot() }
        case "ln": { $0 < 0 ? .nan : log($0) }
        case "log2": { $0 < 0 ? .nan : log2($0) }
        case "log10": { $0 < 0 ? .nan : log10($0) }
        case "sgn": { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }
        case "sin": { sin($0) }
        case "cos": { cos($0) }
        case "tan": { tan($0) }
        case "asin": { asin($0) }
        case "acos": { acos($0) }
        case "atan": { atan($0) }
        case "sinh": { sinh($0) }
        case "cosh": { cosh($0) }
        case "tanh": { tanh($0) }
        case "asinh": { asinh($0) }
        case "acosh": { acosh($0) }
        case "atanh": { atanh($0) }
        case "deg": { $0 * 180 / .pi }
        case "rad": { $0 * .pi / 180 }
        default: nil
        }
    }

    private static func partOfTime(_ name: String) -> ((Double) -> Double)? {
        func date(_ part: @escaping (CivilTime) -> Int) -> (Double) -> Double {
            { seconds in CivilTime(seconds: seconds).map { Double(part($0)) } ?? .nan }
        }
        return switch name {
        case "year": date(\.year)
        case "month": date(\.month)
        case "day_of_month": date(\.day)
        case "day_of_week": date(\.dayOfWeek)
        case "day_of_year": date(\.dayOfYear)
        case "days_in_month": date(\.daysInMonth)
        case "hour": date(\.hour)
        case "minute": date(\.minute)
        default: nil
        }
    }

    // MARK: - Vectors

    /// The value of the one series that a step has; NaN when there is none or several.
    private func onlyValues(_ argument: Expression, on grid: StepGrid) throws(QueryError) -> [Double] {
        let series = try vector(argument, on: grid)
        return (0..<grid.count).map { step in
            var found: Double?
            for item in series where !StepSeries.isAbsent(item.values[step]) {
                if found != nil { return .nan }
                found = item.values[step]
            }
            return found ?? .nan
        }
    }

    private func timestamps(_ argument: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        if case .vector(let selector) = argument.unwrapped.kind {
            return try eachInstant(selector, on: grid) { series, index in Double(series.times[index]) / 1e6 }
                .map { series in
                    var series = series
                    series.dropsName = true
                    return series
                }
        }
        var series = try vector(argument, on: grid)
        for index in series.indices {
            series[index].dropsName = true
            for step in 0..<grid.count where !StepSeries.isAbsent(series[index].values[step]) {
                series[index].values[step] = Double(grid[step]) / 1e6
            }
        }
        return series
    }

    private func absent(_ argument: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let series = try vector(argument, on: grid)
        return absence(of: argument, on: grid) { step in series.contains { !StepSeries.isAbsent($0.values[step]) } }
    }

    /// One series with 1 at each step where `isThere` is false, labelled with what the selector asks for.
    func absence(of argument: Expression, on grid: StepGrid, _ isThere: (Int) -> Bool) -> [StepSeries] {
        let values = (0..<grid.count).map { isThere($0) ? StepSeries.absent : 1 }
        let series = StepSeries(labels: Self.labelsAskedFor(argument), values: values)
        return series.isEmpty ? [] : [series]
    }

    private static func labelsAskedFor(_ argument: Expression) -> LabelSet {
        let matchers: [LabelMatcher]
        switch argument.unwrapped.kind {
        case .vector(let selector): matchers = selector.matchers
        case .range(let range): matchers = range.selector.matchers
        default: return .empty
        }
        var labels = LabelSet.empty
        var count: [String: Int] = [:]
        for matcher in matchers where matcher.name != LabelSet.metricName {
            count[matcher.name, default: 0] += 1
            // A label that is asked for twice, or by a pattern as well, has no one value.
            let isPlain = matcher.operation == .equal && count[matcher.name] == 1
            labels.set(matcher.name, to: isPlain ? matcher.value : "")
        }
        return labels
    }

    private func rounded(_ arguments: [Expression], on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let nearest =
            arguments.count > 1
            ? try scalar(arguments[1], on: grid) : [Double](repeating: 1, count: grid.count)
        return try changed(try vector(arguments[0], on: grid)) { value, step in
            // Ties go up; the inverse is taken first, as in Prometheus, because 1/0.1 is exact and 0.1 is not.
            let inverse = 1 / nearest[step]
            return (value * inverse + 0.5).rounded(.down) / inverse
        }
    }

    private func clamped(_ call: Call, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let series = try vector(call.arguments[0], on: grid)
        let isBelow = call.function.name != "clamp_max"
        let minimum =
            isBelow ? try scalar(call.arguments[1], on: grid) : [Double](repeating: -.infinity, count: grid.count)
        let maximum =
            call.function.name == "clamp_min"
            ? [Double](repeating: .infinity, count: grid.count)
            : try scalar(call.arguments[isBelow ? 2 : 1], on: grid)
        return try changed(series) { value, step in
            if minimum[step] > maximum[step] { return StepSeries.absent }
            if value.isNaN || minimum[step].isNaN || maximum[step].isNaN { return .nan }
            return max(minimum[step], min(maximum[step], value))
        }
    }

    /// The series with every value changed, and without their metric names.
    private func changed(
        _ series: [StepSeries], _ change: (Double, Int) -> Double
    ) throws(QueryError) -> [StepSeries] {
        var result: [StepSeries] = []
        for var item in series {
            try context.check()
            item.dropsName = true
            for step in item.values.indices where !StepSeries.isAbsent(item.values[step]) {
                item.values[step] = change(item.values[step], step)
            }
            if !item.isEmpty { result.append(item) }
        }
        return result
    }
}
