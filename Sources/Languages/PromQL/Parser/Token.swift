/// A word of the language.
struct Token: Hashable {
    enum Kind: Hashable {
        case number(Double)
        /// A number with units of time, in seconds.
        case duration(Double)
        case string(String)
        /// A word: metric, label, function, keyword. Metrics may have colons.
        case word(String)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Hashable {
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBrace = "{"
        case rightBrace = "}"
        case leftBracket = "["
        case rightBracket = "]"
        case comma = ","
        case colon = ":"
        case at = "@"
        case assign = "="
        case matches = "=~"
        case notMatches = "!~"
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case less = "<"
        case greaterOrEqual = ">="
        case lessOrEqual = "<="
    }

    let kind: Kind
    let position: Range<Int>

    /// How an error message names it.
    var name: String {
        switch kind {
        case .number(let value): "number \"\(value)\""
        case .duration(let seconds): "duration \"\(DurationExpression.text(of: seconds))\""
        case .string(let text): "string \"\(text)\""
        case .word(let word): "identifier \"\(word)\""
        case .symbol(let symbol): "\"\(symbol.rawValue)\""
        case .end: "end of input"
        }
    }
}
