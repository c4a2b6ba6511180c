import PromQL
import VigilModel
import VigilPorts

/// What one query carries along: its bounds, its clock and what it found worth saying.
final class QueryContext {
    let limits: QueryLimits
    let patterns: PatternEngine
    let clock: any TimeSource
    let known: KnownExpressions
    let deadline: Timestamp
    /// The grid of the whole query, which `@ start()`, `step()` and the like mean inside subqueries too.
    let grid: StepGrid
    let isRange: Bool
    /// What the whole query needs of the store, when somebody has asked for it.
    var needs: SelectorLoader.Needs?
    private let source: [UInt8]
    var sourceBytes: Int { source.count }
    private(set) var warnings: [String] = []
    private(set) var infos: [String] = []

    init(
        limits: QueryLimits, patterns: PatternEngine, clock: any TimeSource, grid: StepGrid, isRange: Bool,
        source: String, known: KnownExpressions
    ) {
        self.limits = limits
        self.known = known
        self.patterns = patterns
        self.clock = clock
        self.grid = grid
        self.isRange = isRange
        self.source = Array(source.utf8)
        deadline = clock.now() + limits.duration
    }

    /// Ends the query when its time is over or its caller is gone.
    func check() throws(QueryError) {
        if Task.isCancelled { throw QueryError(.canceled, "query was canceled in expression evaluation") }
        if clock.now() > deadline { throw QueryError(.timeout, "query timed out in expression evaluation") }
    }

    /// Refuses to make more values than a query may.
    func check(cells: Int) throws(QueryError) {
        guard cells <= limits.samples else {
            throw QueryError(.execution, "query processing would load too many samples into memory in query execution")
        }
    }

    func warn(_ message: String, at expression: Expression) {
        let text = "PromQL warning: \(message) \(place(expression))"
        if !warnings.contains(text) { warnings.append(text) }
    }

    func inform(_ message: String, at expression: Expression) {
        let text = "PromQL info: \(message) \(place(expression))"
        if !infos.contains(text) { infos.append(text) }
    }

    private func place(_ expression: Expression) -> String {
        let (line, column) = TextPosition.of(expression.position.lowerBound, in: source)
        return "(\(line):\(column))"
    }

    // MARK: - Time

    /// A duration of the query in microseconds.
    func microseconds(_ duration: DurationExpression) throws(QueryError) -> Int64 {
        let step = isRange ? Double(grid.step) / 1e6 : 0
        let range = isRange ? Double(grid.last - grid.start) / 1e6 : 0
        guard let span = DurationExpression.span(duration.seconds(step: step, range: range)) else {
            throw QueryError(.badData, "duration out of range")
        }
        return span.microseconds
    }

    func positive(_ duration: DurationExpression) throws(QueryError) -> Int64 {
        let length = try microseconds(duration)
        guard length > 0 else { throw QueryError(.badData, "duration must be greater than 0") }
        return length
    }

    /// How a selector's shift moves the steps of `grid`: the moments that it looks at.
    func moments(_ shift: TimeShift, on grid: StepGrid) throws(QueryError) -> StepGrid {
        let offset = try shift.offset.map { (duration) throws(QueryError) in try microseconds(duration) } ?? 0
        switch shift.anchor {
        case nil: return StepGrid(start: grid.start - offset, step: grid.step, count: grid.count)
        case .time(let time): return StepGrid(start: time.microseconds - offset, step: 0, count: grid.count)
        case .start: return StepGrid(start: self.grid.start - offset, step: 0, count: grid.count)
        case .end: return StepGrid(start: self.grid.last - offset, step: 0, count: grid.count)
        }
    }

    /// The grid on which a subquery's expression is evaluated: multiples of its step.
    func subgrid(_ subquery: Subquery, on grid: StepGrid) throws(QueryError) -> (
        grid: StepGrid, moments: StepGrid, range: Int64
    ) {
        let moments = try self.moments(subquery.shift, on: grid)
        let range = try positive(subquery.range)
        let step =
            try subquery.step.map { (duration) throws(QueryError) in try positive(duration) }
            ?? limits.subqueryStep.microseconds
        let begin = moments.start - range
        var start = begin / step * step
        if start <= begin { start += step }
        let inner = StepGrid(from: start, to: moments.last, step: step)
        try check(cells: inner.count)
        return (inner, moments, range)
    }
}
