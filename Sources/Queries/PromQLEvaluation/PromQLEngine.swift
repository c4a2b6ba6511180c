import PromQL
package import VigilModel
package import VigilPorts

/// Evaluates PromQL over any series store.
package struct PromQLEngine: Sendable {
    let store: any SeriesStore
    let clock: any TimeSource
    let patterns: PatternEngine
    package let limits: QueryLimits
    let expressions: KnownExpressions

    package init(
        store: any SeriesStore, clock: any TimeSource, patterns: PatternEngine, limits: QueryLimits = QueryLimits()
    ) {
        self.init(store: store, clock: clock, patterns: patterns, limits: limits, expressions: KnownExpressions())
    }

    private init(
        store: any SeriesStore, clock: any TimeSource, patterns: PatternEngine, limits: QueryLimits,
        expressions: KnownExpressions
    ) {
        self.store = store
        self.clock = clock
        self.patterns = patterns
        self.limits = limits
        self.expressions = expressions
    }

    /// The same engine with other limits.
    func with(_ limits: QueryLimits) -> PromQLEngine {
        PromQLEngine(store: store, clock: clock, patterns: patterns, limits: limits, expressions: expressions)
    }

    /// The value of a query at one moment.
    ///
    /// Only what the scope shows takes part.
    package func instant(_ query: String, at time: Timestamp, in scope: AccessScope) async throws(QueryError)
        -> QueryResult
    {
        try await instant(try instantQuestion(query, at: time), in: scope)
    }

    private func instantQuestion(_ query: String, at time: Timestamp) throws(QueryError) -> Question {
        Question(
            expression: try expressions.expression(query),
            context: context(.instant(time.microseconds), isRange: false, query))
    }

    private func instant(_ question: Question, in scope: AccessScope) async throws(QueryError) -> QueryResult {
        let (expression, context) = (question.expression, question.context)
        let time = Timestamp(microseconds: context.grid.start)
        if expression.type == .rangeVector { return try await matrix(expression, context, scope) }
        let value = try await evaluate(expression, context, scope)
        switch value {
        case .scalar(let values):
            return result(.scalar(QueryPoint(time: time, value: values.first ?? .nan)), context)
        case .string(let text):
            return result(.string(time, text), context)
        case .vector(let series):
            let items = try finished(series, expression).compactMap { series -> QueryVectorItem? in
                guard let value = series.values.first, !StepSeries.isAbsent(value) else { return nil }
                return QueryVectorItem(labels: series.labels, point: QueryPoint(time: time, value: value))
            }
            return result(.vector(items), context)
        }
    }

    /// The values of a query from `start` to `end`, both included.
    ///
    /// The scope is respected as in ``instant(_:at:in:)``.
    package func range(
        _ query: String, from start: Timestamp, to end: Timestamp, step: Span, in scope: AccessScope
    ) async throws(QueryError) -> QueryResult {
        try await range(try rangeQuestion(query, from: start, to: end, step: step), in: scope)
    }

    private func rangeQuestion(
        _ query: String, from start: Timestamp, to end: Timestamp, step: Span
    ) throws(QueryError) -> Question {
        guard step.microseconds > 0 else {
            throw QueryError(
                .badData, "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        guard end >= start else { throw QueryError(.badData, "end timestamp must not be before start time") }
        guard (end - start).microseconds / step.microseconds < Int64(limits.steps) else {
            throw QueryError(
                .badData,
                "exceeded maximum resolution of \(limits.steps) points per timeseries. Try decreasing the query resolution (?step=XX)"
            )
        }
        let expression = try expressions.expression(query)
        guard expression.type == .scalar || expression.type == .instantVector else {
            throw QueryError(
                .badData,
                "invalid expression type \"\(expression.type.rawValue)\" for range query, must be Scalar or instant Vector"
            )
        }
        let grid = StepGrid(from: start.microseconds, to: end.microseconds, step: step.microseconds)
        return Question(expression: expression, context: context(grid, isRange: true, query))
    }

    private func range(_ question: Question, in scope: AccessScope) async throws(QueryError) -> QueryResult {
        let context = question.context
        return result(.matrix(Self.points(try await steps(question, in: scope), context.grid)), context)
    }

    /// What a question about a stretch of time gives at its steps, by labels.
    private func steps(_ question: Question, in scope: AccessScope) async throws(QueryError) -> [StepSeries] {
        switch try await evaluate(question.expression, question.context, scope) {
        case .scalar(let values): return [StepSeries(labels: .empty, values: values)]
        case .string: return []
        case .vector(let series):
            let series = try finished(series, question.expression)
            return Evaluator.isInOrder(series) ? series : series.sorted { $0.labels < $1.labels }
        }
    }

    // MARK: - Answers

    /// The answer to ``instant(_:at:in:)`` or ``range(_:from:to:step:in:)`` as JSON.
    package func answer(_ query: String, at moments: QueryMoments, in scope: AccessScope) async throws(QueryError)
        -> [UInt8]
    {
        try await answer(try question(query, at: moments), in: scope)
    }

    /// The same where it is about so few series that it takes less time than changing threads; otherwise `nil`.
    package func narrowAnswer(
        _ query: String, at moments: QueryMoments, in scope: AccessScope
    ) async throws(QueryError) -> [UInt8]? {
        let question = try question(query, at: moments)
        guard try question.isNarrow else { return nil }
        return try await answer(question, in: scope)
    }

    private func question(_ query: String, at moments: QueryMoments) throws(QueryError) -> Question {
        switch moments {
        case .instant(let time): try instantQuestion(query, at: time)
        case .range(let start, let end, let step): try rangeQuestion(query, from: start, to: end, step: step)
        }
    }

    private func answer(_ question: Question, in scope: AccessScope) async throws(QueryError) -> [UInt8] {
        let context = question.context
        guard context.isRange else { return PrometheusAnswer.bytes(try await instant(question, in: scope)) }
        let series = try await steps(question, in: scope)
        return PrometheusAnswer.bytes(series, context.grid, warnings: context.warnings, infos: context.infos)
    }

    // MARK: - Steps

    private func context(_ grid: StepGrid, isRange: Bool, _ query: String) -> QueryContext {
        QueryContext(
            limits: limits, patterns: patterns, clock: clock, grid: grid, isRange: isRange, source: query,
            known: expressions)
    }

    private func evaluate(
        _ expression: Expression, _ context: QueryContext, _ scope: AccessScope
    ) async throws(QueryError) -> StepValue {
        let loaded = try await SelectorLoader(store: store, scope: scope, context: context).load(expression)
        return try Evaluator(context: context, loaded: loaded).evaluate(expression, on: context.grid)
    }

    /// A range vector as it is: the samples that the selector sees at the moment of the query.
    private func matrix(
        _ expression: Expression, _ context: QueryContext, _ scope: AccessScope
    ) async throws(QueryError) -> QueryResult {
        let loaded = try await SelectorLoader(store: store, scope: scope, context: context).load(expression)
        let ranges = try Evaluator(context: context, loaded: loaded).ranges(of: expression, on: context.grid)
        var list: [QuerySeries] = []
        for series in ranges.series {
            let window = ranges.window(of: series, at: 0)
            guard !window.isEmpty else { continue }
            let points = window.map {
                QueryPoint(time: Timestamp(microseconds: series.times[$0]), value: series.values[$0])
            }
            list.append(
                QuerySeries(labels: series.dropsName ? series.labels.withoutName : series.labels, points: points))
        }
        return result(.matrix(list.sorted { $0.labels < $1.labels }), context)
    }

    private func finished(_ series: [StepSeries], _ expression: Expression) throws(QueryError) -> [StepSeries] {
        // As they are read no two are alike.
        if case .vector = expression.unwrapped.kind { return series }
        return try Evaluator.finished(series)
    }

    private static func points(_ series: [StepSeries], _ grid: StepGrid) -> [QuerySeries] {
        series.compactMap { series in
            let points = series.values.enumerated().compactMap { index, value in
                StepSeries.isAbsent(value)
                    ? nil : QueryPoint(time: Timestamp(microseconds: grid[index]), value: value)
            }
            return points.isEmpty ? nil : QuerySeries(labels: series.labels, points: points)
        }
    }

    private func result(_ value: QueryResult.Value, _ context: QueryContext) -> QueryResult {
        QueryResult(value: value, warnings: context.warnings, infos: context.infos)
    }
}
