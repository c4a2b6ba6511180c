import VigilModel

extension Parser {
    /// Reads the duration behind `offset`: one value with a sign, or an expression in parentheses.
    mutating func offset() throws(Fault) -> DurationExpression {
        if take(.minus) { return .negated(try durationPrimary()) }
        _ = take(.plus)
        return try durationPrimary()
    }

    /// Reads arithmetic over durations and seconds.
    mutating func duration(_ minimum: Int) throws(Fault) -> DurationExpression {
        try nested { (parser) throws(Fault) in
            var left = try parser.durationUnary()
            while case .symbol(let symbol) = parser.token.kind,
                let operation = DurationExpression.Operator(rawValue: symbol.rawValue),
                operation.precedence >= minimum
            {
                let position = parser.token.position
                parser.advance()
                let right = try parser.duration(
                    operation == .power ? operation.precedence : operation.precedence + 1)
                if operation == .divide || operation == .modulo, right.isConstant, right.constant?.microseconds == 0 {
                    throw Fault(operation == .divide ? "division by zero" : "modulo by zero", at: position)
                }
                left = .binary(operation, left, right)
            }
            return left
        }
    }

    private mutating func durationUnary() throws(Fault) -> DurationExpression {
        if take(.minus) { return .negated(try duration(DurationExpression.Operator.power.precedence)) }
        if take(.plus) { return try duration(DurationExpression.Operator.power.precedence) }
        return try durationPrimary()
    }

    private mutating func durationPrimary() throws(Fault) -> DurationExpression {
        switch token.kind {
        case .number(let seconds), .duration(let seconds):
            guard DurationExpression.span(seconds) != nil else {
                throw Fault("duration out of range", at: token.position)
            }
            advance()
            return .seconds(seconds)
        case .symbol(.leftParenthesis):
            advance()
            let inner = try duration(0)
            try expect(.rightParenthesis, in: "duration")
            return inner
        case .word(let word) where nextToken.kind == .symbol(.leftParenthesis):
            return try durationCall(word.lowercased())
        default:
            throw unexpected("subquery or range selector", expected: "number, duration, step(), or range()")
        }
    }

    private mutating func durationCall(_ name: String) throws(Fault) -> DurationExpression {
        guard ["step", "range", "min", "max", "min_of", "max_of"].contains(name) else { throw unexpected("duration") }
        advance()
        advance()
        if name == "step" || name == "range" {
            try expect(.rightParenthesis, in: "duration")
            return name == "step" ? .step : .range
        }
        let left = try duration(0)
        try expect(.comma, in: "duration")
        let right = try duration(0)
        try expect(.rightParenthesis, in: "duration")
        return name.hasPrefix("min") ? .minimum(left, right) : .maximum(left, right)
    }
}

extension DurationExpression.Operator {
    var precedence: Int {
        switch self {
        case .add, .subtract: 1
        case .multiply, .divide, .modulo: 2
        case .power: 3
        }
    }
}
