package import VigilModel

/// Reads expressions by precedence climbing.
///
/// Texts are at most ``maximumBytes`` long, and expressions at most ``maximumDepth`` deep, so that no query can exhaust the
/// stack of the parser, the checker or the evaluator.
package struct Parser {
    package static let maximumBytes = 65_536
    package static let maximumDepth = 200

    let tokens: [Token]
    var index = 0
    private var nesting = 0

    /// Reads and checks a query.
    ///
    /// - Throws: ``SyntaxError`` with the place of the first thing that is wrong.
    package static func parse(_ text: String) throws(SyntaxError) -> Expression {
        let bytes = Array(text.utf8)
        do throws(Fault) {
            var parser = try Parser(bytes)
            guard parser.token.kind != .end else { throw Fault("no expression found in input", at: 0..<0) }
            let expression = try parser.expression(0)
            guard parser.token.kind == .end else { throw parser.unexpected("expression") }
            try TypeChecker.check(expression)
            return expression
        } catch {
            throw SyntaxError(error.message, position: error.position, in: bytes)
        }
    }

    /// Reads a selector alone, as the `match[]` parameters of the HTTP interface hold it.
    package static func parseSelector(_ text: String) throws(SyntaxError) -> [LabelMatcher] {
        let expression = try parse(text)
        guard case .vector(let selector) = expression.kind, selector.shift == TimeShift() else {
            throw SyntaxError("expected a series selector", position: expression.position, in: Array(text.utf8))
        }
        return selector.matchers
    }

    private init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.maximumBytes else {
            throw Fault("the query is longer than \(Self.maximumBytes) bytes", at: 0..<0)
        }
        tokens = try Lexer.tokens(of: bytes)
    }

    // MARK: - Tokens

    var token: Token { tokens[index] }
    var nextToken: Token { tokens[min(index + 1, tokens.count - 1)] }
    /// Where the token before the one at hand ends.
    var lastEnd: Int { index > 0 ? tokens[index - 1].position.upperBound : 0 }

    mutating func advance() { index = min(index + 1, tokens.count - 1) }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard token.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol, in context: String) throws(Fault) {
        guard take(symbol) else { throw unexpected(context, expected: "\"\(symbol.rawValue)\"") }
    }

    /// The word at hand in lower case, for keywords.
    var keyword: String? {
        if case .word(let word) = token.kind { word.lowercased() } else { nil }
    }

    mutating func takeKeyword(_ word: String) -> Bool {
        guard keyword == word else { return false }
        advance()
        return true
    }

    func unexpected(_ context: String, expected: String = "") -> Fault {
        Fault(
            "unexpected \(token.name) in \(context)" + (expected.isEmpty ? "" : ", expected \(expected)"),
            at: token.position)
    }

    mutating func nested<Result>(_ body: (inout Parser) throws(Fault) -> Result) throws(Fault) -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.maximumDepth else {
            throw Fault("the expression is nested deeper than \(Self.maximumDepth) levels", at: token.position)
        }
        return try body(&self)
    }

    func make(_ kind: Expression.Kind, from start: Int) throws(Fault) -> Expression {
        let expression = Expression(kind, position: start..<max(start, lastEnd))
        guard expression.depth <= Self.maximumDepth else {
            throw Fault("the expression is nested deeper than \(Self.maximumDepth) levels", at: expression.position)
        }
        return expression
    }

    // MARK: - Operators

    mutating func expression(_ minimum: Int) throws(Fault) -> Expression {
        try nested { (parser) throws(Fault) in
            var left = try parser.unary()
            while let operation = parser.binaryOperator, operation.precedence >= minimum {
                parser.advance()
                let (returnsBoolean, matching) = try parser.modifiers(of: operation)
                // The power binds to the right, all others to the left.
                let right = try parser.expression(
                    operation == .power ? operation.precedence : operation.precedence + 1)
                let binary = Binary(
                    operation: operation, left: left, right: right, returnsBoolean: returnsBoolean, matching: matching)
                left = try parser.make(.binary(binary), from: left.position.lowerBound)
            }
            return left
        }
    }

    private var binaryOperator: Binary.Operator? {
        switch token.kind {
        case .symbol(let symbol): Binary.Operator(rawValue: symbol.rawValue)
        case .word(let word):
            Binary.Operator(rawValue: word.lowercased())
        default: nil
        }
    }

    private mutating func unary() throws(Fault) -> Expression {
        let start = token.position.lowerBound
        for symbol in [Token.Symbol.minus, .plus] where take(symbol) {
            // A sign binds as tightly as a product: -2 ^ 2 is -(2 ^ 2).
            let inner = try expression(Binary.Operator.power.precedence)
            return try make(symbol == .minus ? .negation(inner) : .plus(inner), from: start)
        }
        return try postfix(try primary())
    }

    private mutating func modifiers(of operation: Binary.Operator) throws(Fault) -> (Bool, VectorMatching?) {
        let returnsBoolean = takeKeyword("bool")
        if returnsBoolean, !operation.isComparison {
            throw Fault("bool modifier can only be used on comparison operators", at: tokens[index - 1].position)
        }
        var matching = VectorMatching()
        var isExplicit = false
        if keyword == "on" || keyword == "ignoring", nextToken.kind == .symbol(.leftParenthesis) {
            matching.isOn = keyword == "on"
            isExplicit = true
            advance()
            matching.labels = try groupingLabels()
            if keyword == "group_left" || keyword == "group_right" {
                matching.cardinality = keyword == "group_left" ? .manyToOne : .oneToMany
                let position = token.position
                advance()
                if token.kind == .symbol(.leftParenthesis) { matching.included = try groupingLabels() }
                if operation.isSet {
                    throw Fault("no grouping allowed for \"\(operation.rawValue)\" operation", at: position)
                }
                if matching.isOn, let label = matching.included.first(where: matching.labels.contains) {
                    throw Fault("label \"\(label)\" must not occur in ON and GROUP clause at once", at: position)
                }
            }
        }
        try fills(&matching, operation)
        if operation.isSet { matching.cardinality = .manyToMany }
        let isPlain = !isExplicit && matching.fillLeft == nil && matching.fillRight == nil && !operation.isSet
        return (returnsBoolean, isPlain ? nil : matching)
    }

    private mutating func fills(_ matching: inout VectorMatching, _ operation: Binary.Operator) throws(Fault) {
        while let word = keyword, ["fill", "fill_left", "fill_right"].contains(word),
            nextToken.kind == .symbol(.leftParenthesis)
        {
            guard !operation.isSet else { throw unexpected("set operator") }
            advance()
            advance()
            let value = try signedNumber()
            try expect(.rightParenthesis, in: "fill")
            if word != "fill_right" { matching.fillLeft = value }
            if word != "fill_left" { matching.fillRight = value }
        }
    }

    mutating func groupingLabels() throws(Fault) -> [String] {
        try expect(.leftParenthesis, in: "grouping opts")
        var labels: [String] = []
        while !take(.rightParenthesis) {
            switch token.kind {
            case .word(let word) where !word.contains(":"): labels.append(word)
            case .string(let text) where !text.isEmpty: labels.append(text)
            default: throw unexpected("grouping opts", expected: "label")
            }
            advance()
            guard take(.comma) || token.kind == .symbol(.rightParenthesis) else {
                throw unexpected("grouping opts", expected: "\",\" or \")\"")
            }
        }
        return labels
    }

    mutating func signedNumber() throws(Fault) -> Double {
        var sign = 1.0
        if take(.minus) { sign = -1 } else { _ = take(.plus) }
        guard let value = numberAtHand else { throw unexpected("number", expected: "number") }
        advance()
        return sign * value
    }

    /// The value of the number, duration, `inf` or `nan` at hand.
    var numberAtHand: Double? {
        switch token.kind {
        case .number(let value), .duration(let value): value
        case .word(let word) where word.lowercased() == "inf": .infinity
        case .word(let word) where word.lowercased() == "nan": .nan
        default: nil
        }
    }
}
