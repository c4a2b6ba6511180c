import PromQL
import VigilModel

/// Evaluates an expression over all steps at once: one array of values per series.
struct Evaluator {
    let context: QueryContext
    let loaded: LoadedSeries

    func evaluate(_ expression: Expression, on grid: StepGrid) throws(QueryError) -> StepValue {
        try context.check()
        switch expression.kind {
        case .number(let value): return .scalar([Double](repeating: value, count: grid.count))
        case .string(let text): return .string(text)
        case .parentheses(let inner), .plus(let inner): return try evaluate(inner, on: grid)
        case .negation(let inner):
            switch try evaluate(inner, on: grid) {
            case .scalar(let values): return .scalar(values.map { -$0 })
            case .vector(let series): return .vector(try mapped(series) { -$0 })
            case .string: throw mistake
            }
        case .vector(let selector): return .vector(try instants(selector, on: grid))
        case .range, .subquery: throw mistake
        case .call(let call): return try evaluate(call, expression, on: grid)
        case .aggregation(let aggregation): return .vector(try aggregate(aggregation, on: grid))
        case .binary(let binary): return try evaluate(binary, expression, on: grid)
        }
    }

    /// The type checker lets none of these through.
    var mistake: QueryError { QueryError(.internal, "BUG: an expression of the wrong type reached the evaluator") }

    // MARK: - By type

    func vector(_ expression: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        guard case .vector(let series) = try evaluate(expression, on: grid) else { throw mistake }
        return series
    }

    func scalar(_ expression: Expression, on grid: StepGrid) throws(QueryError) -> [Double] {
        guard case .scalar(let values) = try evaluate(expression, on: grid) else { throw mistake }
        return values
    }

    func string(_ expression: Expression) throws(QueryError) -> String {
        guard case .string(let text) = expression.unwrapped.kind else { throw mistake }
        return text
    }

    // MARK: - Selectors

    private func instants(_ selector: VectorSelector, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        try eachInstant(selector, on: grid) { series, index in series.values[index] }
    }

    /// For each series, `value` of the newest sample that each step sees.
    func eachInstant(
        _ selector: VectorSelector, on grid: StepGrid, _ value: (SampleSeries, Int) -> Double
    ) throws(QueryError) -> [StepSeries] {
        let moments = try context.moments(selector.shift, on: grid)
        let lookback = context.limits.lookback.microseconds
        var result: [StepSeries] = []
        let all = loaded.samples[selector.matchers] ?? []
        try context.check(cells: all.count * grid.count)
        for series in all {
            try context.check()
            var values = [Double](repeating: StepSeries.absent, count: grid.count)
            var next = 0
            var isEmpty = true
            for step in 0..<grid.count {
                let moment = moments[step]
                while next < series.times.count, series.times[next] <= moment { next += 1 }
                guard next > 0, series.times[next - 1] > moment - lookback,
                    !StepSeries.isAbsent(series.values[next - 1])
                else { continue }
                values[step] = value(series, next - 1)
                isEmpty = false
            }
            if !isEmpty { result.append(StepSeries(labels: series.labels, values: values)) }
        }
        return result
    }

    // MARK: - Results

    /// The series with `change` of every value, and without their metric names.
    func mapped(_ series: [StepSeries], _ change: (Double) -> Double) throws(QueryError) -> [StepSeries] {
        var result = series
        for index in result.indices {
            try context.check()
            result[index].dropsName = true
            for step in result[index].values.indices where !StepSeries.isAbsent(result[index].values[step]) {
                result[index].values[step] = change(result[index].values[step])
            }
        }
        return result
    }

    /// Takes the metric names away where they fall away, and joins series that are one now.
    static func finished(_ series: [StepSeries]) throws(QueryError) -> [StepSeries] {
        var result = series
        for index in result.indices where result[index].dropsName {
            result[index].labels = result[index].labels.withoutName
            result[index].dropsName = false
        }
        return isInOrder(result) ? result : try merged(result)
    }

    /// Whether the labels grow from series to series, so that no two are alike.
    static func isInOrder(_ series: [StepSeries]) -> Bool {
        series.indices.dropFirst().allSatisfy { series[$0 - 1].labels < series[$0].labels }
    }

    /// Joins series of the same labels; two values at one step are an error.
    static func merged(_ series: [StepSeries]) throws(QueryError) -> [StepSeries] {
        var places: [LabelSet: Int] = [:]
        var result: [StepSeries] = []
        for item in series {
            guard let place = places[item.labels] else {
                places[item.labels] = result.count
                result.append(item)
                continue
            }
            for (step, value) in item.values.enumerated() where !StepSeries.isAbsent(value) {
                guard StepSeries.isAbsent(result[place].values[step]) else {
                    throw QueryError(.execution, "vector cannot contain metrics with the same labelset")
                }
                result[place].values[step] = value
            }
        }
        return result
    }
}
