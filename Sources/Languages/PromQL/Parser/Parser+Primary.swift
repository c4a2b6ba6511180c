import VigilModel

extension Parser {
    mutating func primary() throws(Fault) -> Expression {
        let start = token.position.lowerBound
        switch token.kind {
        case .string(let text):
            advance()
            return try make(.string(text), from: start)
        case .symbol(.leftParenthesis):
            advance()
            let inner = try expression(0)
            try expect(.rightParenthesis, in: "parentheses")
            return try make(.parentheses(inner), from: start)
        case .symbol(.leftBrace):
            return try selector(metric: nil, from: start)
        case .word(let word):
            return try self.word(word, from: start)
        default:
            guard let value = numberAtHand else { throw unexpected("expression") }
            advance()
            return try make(.number(value), from: start)
        }
    }

    private mutating func word(_ word: String, from start: Int) throws(Fault) -> Expression {
        let isCalled = nextToken.kind == .symbol(.leftParenthesis)
        if let operation = Aggregation.Operator(rawValue: word.lowercased()), isAggregation(isCalled: isCalled) {
            return try aggregation(operation, from: start)
        }
        if let value = numberAtHand, !isCalled, nextToken.kind != .symbol(.leftBrace) {
            advance()
            return try make(.number(value), from: start)
        }
        advance()
        guard isCalled else { return try selector(metric: word, from: start) }
        guard let function = FunctionSignature.named(word) else {
            throw Fault("unknown function with name \"\(word)\"", at: start..<lastEnd)
        }
        let arguments = try arguments()
        return try make(.call(Call(function: function, arguments: arguments)), from: start)
    }

    private func isAggregation(isCalled: Bool) -> Bool {
        if isCalled { return true }
        guard case .word(let next) = nextToken.kind else { return false }
        return next.lowercased() == "by" || next.lowercased() == "without"
    }

    private mutating func arguments() throws(Fault) -> [Expression] {
        try expect(.leftParenthesis, in: "call")
        var arguments: [Expression] = []
        if take(.rightParenthesis) { return arguments }
        while true {
            arguments.append(try expression(0))
            if take(.rightParenthesis) { return arguments }
            let comma = token.position
            try expect(.comma, in: "function call args")
            if token.kind == .symbol(.rightParenthesis) {
                throw Fault("trailing commas not allowed in function call args", at: comma)
            }
        }
    }

    // MARK: - Aggregations

    private mutating func aggregation(_ operation: Aggregation.Operator, from start: Int) throws(Fault) -> Expression {
        advance()
        var modifier = try aggregationModifier()
        let arguments = try arguments()
        if modifier == nil { modifier = try aggregationModifier() }
        let wanted = operation.takesParameter ? 2 : 1
        guard arguments.count == wanted, let expression = arguments.last else {
            let reason =
                arguments.isEmpty
                ? "no arguments for aggregate expression provided"
                : "wrong number of arguments for aggregate expression provided, expected \(wanted), got \(arguments.count)"
            throw Fault(reason, at: start..<lastEnd)
        }
        let aggregation = Aggregation(
            operation: operation, expression: expression, parameter: wanted == 2 ? arguments.first : nil,
            labels: modifier?.labels ?? [], isWithout: modifier?.isWithout ?? false)
        return try make(.aggregation(aggregation), from: start)
    }

    private mutating func aggregationModifier() throws(Fault) -> (labels: [String], isWithout: Bool)? {
        guard keyword == "by" || keyword == "without" else { return nil }
        let isWithout = keyword == "without"
        advance()
        return (try groupingLabels(), isWithout)
    }

    // MARK: - Selectors

    private mutating func selector(metric: String?, from start: Int) throws(Fault) -> Expression {
        var metric = metric
        var matchers: [LabelMatcher] = []
        if take(.leftBrace) {
            while !take(.rightBrace) {
                try matcher(&metric, &matchers)
                guard take(.comma) || token.kind == .symbol(.rightBrace) else {
                    throw unexpected("label matching", expected: "\",\" or \"}\"")
                }
            }
        }
        if let metric {
            if matchers.contains(where: { $0.name == LabelMatcher.metricName && $0.operation == .equal }) {
                throw Fault("metric name must not be set twice: \"\(metric)\"", at: start..<lastEnd)
            }
            matchers.append(.metric(metric))
        }
        return try make(.vector(VectorSelector(metric: metric, matchers: matchers)), from: start)
    }

    private mutating func matcher(_ metric: inout String?, _ matchers: inout [LabelMatcher]) throws(Fault) {
        let name: String
        let position = token.position
        switch token.kind {
        case .word(let word) where !word.contains(":"): name = word
        case .string(let text): name = text
        default: throw unexpected("label matching", expected: "identifier or \"}\"")
        }
        advance()
        let operations: [(Token.Symbol, LabelMatcher.Operation)] = [
            (.assign, .equal), (.notEqual, .notEqual), (.matches, .matches), (.notMatches, .notMatches),
        ]
        for (symbol, operation) in operations where take(symbol) {
            guard case .string(let value) = token.kind else { throw unexpected("label matching", expected: "string") }
            advance()
            matchers.append(LabelMatcher(name, operation, value))
            return
        }
        // A quoted name alone is the metric.
        guard case .string = tokens[index - 1].kind else {
            throw unexpected("label matching", expected: "label matching operator")
        }
        guard metric == nil else { throw Fault("metric name must not be set twice: \"\(name)\"", at: position) }
        metric = name
    }

    // MARK: - What may follow a selector

    mutating func postfix(_ primary: Expression) throws(Fault) -> Expression {
        var expression = primary
        while true {
            if token.kind == .symbol(.leftBracket) {
                expression = try brackets(expression)
            } else if keyword == "offset" {
                advance()
                let offset = try offset()
                expression = try shifted(expression, "offset") { (shift) throws(Fault) in
                    guard shift.offset == nil else {
                        throw Fault("offset may not be set multiple times", at: expression.position)
                    }
                    shift.offset = offset
                }
            } else if take(.at) {
                let anchor = try anchor()
                expression = try shifted(expression, "@") { (shift) throws(Fault) in
                    guard shift.anchor == nil else {
                        throw Fault("@ <timestamp> may not be set multiple times", at: expression.position)
                    }
                    shift.anchor = anchor
                }
            } else {
                return expression
            }
        }
    }

    private func shifted(
        _ expression: Expression, _ what: String, _ change: (inout TimeShift) throws(Fault) -> Void
    ) throws(Fault) -> Expression {
        let start = expression.position.lowerBound
        switch expression.kind {
        case .vector(var selector):
            try change(&selector.shift)
            return try make(.vector(selector), from: start)
        case .range(var range):
            try change(&range.selector.shift)
            return try make(.range(range), from: start)
        case .subquery(var subquery):
            try change(&subquery.shift)
            return try make(.subquery(subquery), from: start)
        default:
            throw Fault(
                "\(what) modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                at: expression.position)
        }
    }

    private mutating func anchor() throws(Fault) -> TimeShift.Anchor {
        if keyword == "start" || keyword == "end", nextToken.kind == .symbol(.leftParenthesis) {
            let isStart = keyword == "start"
            advance()
            advance()
            try expect(.rightParenthesis, in: "@")
            return isStart ? .start : .end
        }
        let position = token.position
        let seconds = try signedNumber()
        guard let span = DurationExpression.span(seconds) else {
            throw Fault("timestamp out of bounds for @ modifier: \(seconds)", at: position)
        }
        // Moments have milliseconds, as in Prometheus.
        return .time(Timestamp(milliseconds: Int64((Double(span.microseconds) / 1000).rounded())))
    }

    private mutating func brackets(_ expression: Expression) throws(Fault) -> Expression {
        let start = expression.position.lowerBound
        let bracket = token.position
        advance()
        let range = try duration(0)
        if let constant = range.constant, constant.microseconds <= 0 {
            throw Fault("duration must be greater than 0", at: bracket.lowerBound..<lastEnd)
        }
        if take(.colon) {
            let step = token.kind == .symbol(.rightBracket) ? nil : try duration(0)
            if let constant = step?.constant, constant.microseconds <= 0 {
                throw Fault("duration must be greater than 0", at: bracket.lowerBound..<lastEnd)
            }
            try expect(.rightBracket, in: "subquery selector")
            return try make(
                .subquery(Subquery(expression: expression, range: range, step: step)), from: start)
        }
        guard take(.rightBracket) else { throw unexpected("subquery or range selector", expected: "\":\" or \"]\"") }
        guard case .vector(let selector) = expression.kind else {
            throw Fault("ranges only allowed for vector selectors", at: bracket.lowerBound..<lastEnd)
        }
        guard selector.shift.offset == nil else {
            throw Fault("no offset modifiers allowed before range", at: bracket.lowerBound..<lastEnd)
        }
        guard selector.shift.anchor == nil else {
            throw Fault("no @ modifiers allowed before range", at: bracket.lowerBound..<lastEnd)
        }
        return try make(.range(RangeSelector(selector: selector, range: range)), from: start)
    }
}
