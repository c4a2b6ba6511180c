import PromQL

extension Evaluator {
    /// The functions over range vectors; `nil` when the call is none of them.
    func overTime(_ call: Call, _ expression: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries]? {
        guard let argument = call.arguments.first(where: { $0.type == .rangeVector }) else { return nil }
        let name = call.function.name
        if let folded = try folded(call, argument, on: grid) { return folded }
        switch name {
        case "absent_over_time":
            let ranges = try ranges(of: argument, on: grid)
            return absence(of: argument, on: grid) { step in
                ranges.series.contains { !ranges.window(of: $0, at: step).isEmpty }
            }
        case "quantile_over_time":
            let quantiles = try scalar(call.arguments[0], on: grid)
            warnAboutQuantile(quantiles, at: call.arguments[0])
            let there = try overTime(argument, on: grid) { Statistics.quantile(quantiles[$1], $0.values) }
            return try withGone(there, call, on: grid)
        case "predict_linear":
            let ahead = try scalar(call.arguments[1], on: grid)
            return try overTime(argument, on: grid) { window, step in
                guard window.count >= 2 else { return nil }
                let line = Statistics.regression(window, origin: window.moment)
                return line.slope * ahead[step] + line.intercept
            }
        case "double_exponential_smoothing":
            return try smoothed(call, argument, on: grid)
        case "rate", "increase":
            informAboutCounter(argument, call, isThere: !(try ranges(of: argument, on: grid)).series.isEmpty)
        default: break
        }
        guard let function = Self.windowFunction(name) else { throw mistake }
        let keepsName = name == "last_over_time" || name == "first_over_time"
        return try overTime(argument, on: grid, keepsName: keepsName) { window, _ in function(window) }
    }

    /// The call's result where its windows were loaded in place of samples.
    private func folded(_ call: Call, _ argument: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries]? {
        let name = call.function.name
        guard let need = try WindowNeed(name, argument, on: grid, context), let all = loaded.windows[need] else {
            return nil
        }
        try context.check(cells: all.count * grid.count)
        if name == "absent_over_time" {
            var isThere = [Bool](repeating: false, count: grid.count)
            for series in all { series.eachStep(need) { step, _ in isThere[step] = true } }
            return absence(of: argument, on: grid) { isThere[$0] }
        }
        guard let function = FoldedFunction.named(name) else { throw mistake }
        if name == "rate" || name == "increase" { informAboutCounter(argument, call, isThere: !all.isEmpty) }
        let keepsName = name == "last_over_time" || name == "first_over_time"
        var result: [StepSeries] = []
        for series in all {
            try context.check()
            var values = [Double](repeating: StepSeries.absent, count: grid.count)
            series.eachStep(need) { step, window in
                if let value = function.value(window, need.moments[step], need.length) { values[step] = value }
            }
            guard !values.allSatisfy(StepSeries.isAbsent) else { continue }
            result.append(StepSeries(labels: series.labels, dropsName: !keepsName, values: values))
        }
        return result
    }

    private func smoothed(_ call: Call, _ argument: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let factors = try scalar(call.arguments[1], on: grid)
        let trends = try scalar(call.arguments[2], on: grid)
        for factor in factors where factor <= 0 || factor >= 1 {
            throw QueryError(
                .execution, "invalid smoothing factor. Expected: 0 < sf < 1, got: \(NumberText.of(factor))")
        }
        for trend in trends where trend <= 0 || trend >= 1 {
            throw QueryError(.execution, "invalid trend factor. Expected: 0 < tf < 1, got: \(NumberText.of(trend))")
        }
        return try overTime(argument, on: grid) { window, step in
            Rates.smoothed(window, factor: factors[step], trendFactor: trends[step])
        }
    }

    /// Says when the name of a metric under `rate` does not look like a counter's.
    private func informAboutCounter(_ argument: Expression, _ call: Call, isThere: Bool) {
        guard isThere, case .range(let range) = argument.unwrapped.kind, let metric = range.selector.metric,
            !["_total", "_sum", "_count", "_bucket"].contains(where: metric.hasSuffix)
        else { return }
        context.inform(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"\(metric)\"",
            at: argument)
    }

    private static func windowFunction(_ name: String) -> ((Window) -> Double?)? {
        switch name {
        case "rate": { Rates.extrapolated($0, isCounter: true, isRate: true) }
        case "increase": { Rates.extrapolated($0, isCounter: true, isRate: false) }
        case "delta": { Rates.extrapolated($0, isCounter: false, isRate: false) }
        case "irate": { Rates.instant($0, isRate: true) }
        case "idelta": { Rates.instant($0, isRate: false) }
        case "deriv":
            { window in
                window.count < 2 ? nil : Statistics.regression(window, origin: window.times[0]).slope
            }
        case "changes": { Rates.changes($0) }
        case "resets": { Rates.resets($0) }
        case "sum_over_time": { Statistics.sum($0.values) }
        case "avg_over_time": { Statistics.average($0.values) }
        case "min_over_time": { Statistics.minimum($0.values) }
        case "max_over_time": { Statistics.maximum($0.values) }
        case "count_over_time": { Double($0.count) }
        case "present_over_time": { _ in 1 }
        case "last_over_time": { $0.values.last }
        case "first_over_time": { $0.values.first }
        case "stddev_over_time": { Statistics.variance($0.values).squareRoot() }
        case "stdvar_over_time": { Statistics.variance($0.values) }
        case "mad_over_time":
            { window in
                if window.values.contains(where: \.isNaN) { return .nan }
                let median = Statistics.quantile(0.5, window.values)
                return Statistics.quantile(0.5, window.values.map { abs($0 - median) })
            }
        case "ts_of_first_over_time": { $0.times.first.map { Double($0) / 1e6 } }
        case "ts_of_last_over_time": { $0.times.last.map { Double($0) / 1e6 } }
        case "ts_of_min_over_time": { time(of: $0) { $0 <= $1 } }
        case "ts_of_max_over_time": { time(of: $0) { $0 >= $1 } }
        default: nil
        }
    }

    /// The time of the last sample that no other is ahead of.
    private static func time(of window: Window, _ isAhead: (Double, Double) -> Bool) -> Double {
        var best = 0
        for index in 0..<window.count
        where isAhead(window.values[index], window.values[best]) || window.values[best].isNaN {
            best = index
        }
        return Double(window.times[best]) / 1e6
    }
}
