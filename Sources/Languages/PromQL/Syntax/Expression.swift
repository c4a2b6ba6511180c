package import VigilModel

/// A PromQL expression that has been parsed and whose types have been checked.
package struct Expression: Sendable, Hashable {
    package indirect enum Kind: Sendable, Hashable {
        case number(Double)
        case string(String)
        case vector(VectorSelector)
        case range(RangeSelector)
        case subquery(Subquery)
        case call(Call)
        case aggregation(Aggregation)
        case negation(Expression)
        /// A plus sign before an expression, which changes nothing.
        case plus(Expression)
        case binary(Binary)
        case parentheses(Expression)
    }

    package let kind: Kind
    /// The bytes of the query that the expression was read from.
    package let position: Range<Int>
    /// How many expressions lie inside each other here, this one included.
    package let depth: Int

    package init(_ kind: Kind, position: Range<Int>) {
        self.kind = kind
        self.position = position
        depth = 1 + (kind.children.map(\.depth).max() ?? 0)
    }

    /// The expression without the parentheses around it.
    package var unwrapped: Expression {
        var expression = self
        while case .parentheses(let inner) = expression.kind { expression = inner }
        return expression
    }
}

extension Expression.Kind {
    /// The expressions directly inside, in the order of the text.
    package var children: [Expression] {
        switch self {
        case .number, .string, .vector, .range: []
        case .subquery(let subquery): [subquery.expression]
        case .call(let call): call.arguments
        case .aggregation(let aggregation): (aggregation.parameter.map { [$0] } ?? []) + [aggregation.expression]
        case .negation(let inner), .plus(let inner), .parentheses(let inner): [inner]
        case .binary(let binary): [binary.left, binary.right]
        }
    }
}

/// Names series, and which of their samples an instant sees.
package struct VectorSelector: Sendable, Hashable {
    /// The metric name that stands before the braces, if any.
    ///
    /// It is one of the matchers too.
    package var metric: String?
    package var matchers: [LabelMatcher]
    package var shift = TimeShift()

    package init(metric: String?, matchers: [LabelMatcher]) {
        self.metric = metric
        self.matchers = matchers
    }
}

/// A selector with the stretch of time that it looks back over.
package struct RangeSelector: Sendable, Hashable {
    package var selector: VectorSelector
    package let range: DurationExpression

    package init(selector: VectorSelector, range: DurationExpression) {
        self.selector = selector
        self.range = range
    }
}

/// An expression that is evaluated at every step of a stretch of time.
package struct Subquery: Sendable, Hashable {
    package let expression: Expression
    package let range: DurationExpression
    /// `nil` for the default step.
    package let step: DurationExpression?
    package var shift = TimeShift()

    package init(expression: Expression, range: DurationExpression, step: DurationExpression?) {
        self.expression = expression
        self.range = range
        self.step = step
    }
}

/// Moves what a selector or subquery sees: `@` fixes the moment, `offset` then goes back from it.
package struct TimeShift: Sendable, Hashable {
    package enum Anchor: Sendable, Hashable {
        case time(Timestamp)
        /// The start of the whole query.
        case start
        /// The end of the whole query.
        case end
    }

    package var offset: DurationExpression?
    package var anchor: Anchor?

    package init(offset: DurationExpression? = nil, anchor: Anchor? = nil) {
        self.offset = offset
        self.anchor = anchor
    }
}

/// A function with its arguments.
package struct Call: Sendable, Hashable {
    package let function: FunctionSignature
    package let arguments: [Expression]

    package init(function: FunctionSignature, arguments: [Expression]) {
        self.function = function
        self.arguments = arguments
    }
}

/// Makes one value, or a few, of many series.
package struct Aggregation: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable, CaseIterable {
        case sum
        case average = "avg"
        case minimum = "min"
        case maximum = "max"
        case count
        case group
        case deviation = "stddev"
        case variance = "stdvar"
        case countValues = "count_values"
        case quantile
        case topK = "topk"
        case bottomK = "bottomk"
        case limitK = "limitk"
        case limitRatio = "limit_ratio"

        /// Whether a parameter stands before the expression.
        package var takesParameter: Bool {
            switch self {
            case .countValues, .quantile, .topK, .bottomK, .limitK, .limitRatio: true
            default: false
            }
        }
    }

    package let operation: Operator
    package let expression: Expression
    package let parameter: Expression?
    package let labels: [String]
    /// Whether the labels are the ones to leave out (`without`) or to keep (`by`, and neither).
    package let isWithout: Bool

    package init(operation: Operator, expression: Expression, parameter: Expression?, labels: [String], isWithout: Bool)
    {
        self.operation = operation
        self.expression = expression
        self.parameter = parameter
        self.labels = labels
        self.isWithout = isWithout
    }
}
