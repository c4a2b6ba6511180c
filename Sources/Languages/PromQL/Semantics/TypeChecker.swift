import VigilModel

extension Expression {
    /// What the expression evaluates to.
    package var type: ValueType {
        switch kind {
        case .number: .scalar
        case .string: .string
        case .vector, .aggregation: .instantVector
        case .range, .subquery: .rangeVector
        case .call(let call): call.function.result
        case .negation(let inner), .plus(let inner), .parentheses(let inner): inner.type
        case .binary(let binary):
            binary.left.type == .scalar && binary.right.type == .scalar ? .scalar : .instantVector
        }
    }
}

/// Holds an expression against the types of its parts.
enum TypeChecker {
    static func check(_ expression: Expression) throws(Fault) {
        for child in expression.kind.children { try check(child) }
        switch expression.kind {
        case .number, .string, .parentheses: break
        case .vector(let selector): try check(selector, at: expression.position)
        case .range(let range): try check(range.selector, at: expression.position)
        case .subquery(let subquery):
            try expect(.instantVector, subquery.expression, in: "subquery", scalarToo: false)
        case .negation(let inner), .plus(let inner):
            guard inner.type == .scalar || inner.type == .instantVector else {
                throw Fault(
                    "unary expression only allowed on expressions of type scalar or instant vector, got \"\(inner.type.rawValue)\"",
                    at: expression.position)
            }
        case .call(let call): try check(call, at: expression.position)
        case .aggregation(let aggregation): try check(aggregation)
        case .binary(let binary): try check(binary, at: expression.position)
        }
    }

    private static func expect(
        _ type: ValueType, _ expression: Expression, in context: String, scalarToo: Bool
    ) throws(Fault) {
        guard expression.type == type || (scalarToo && expression.type == .scalar) else {
            throw Fault(
                "expected type \(type.rawValue) in \(context), got \(expression.type.rawValue)", at: expression.position
            )
        }
    }

    private static func check(_ selector: VectorSelector, at position: Range<Int>) throws(Fault) {
        // A selector that the empty label set satisfies would name every series.
        let selects = selector.matchers.contains { matcher in
            switch matcher.operation {
            case .equal: !matcher.value.isEmpty
            case .notEqual: matcher.value.isEmpty
            case .matches: !["", ".*", ".*?"].contains(matcher.value)
            case .notMatches: [".*", ".+", ""].contains(matcher.value)
            }
        }
        guard selects else { throw Fault("vector selector must contain at least one non-empty matcher", at: position) }
    }

    private static func check(_ call: Call, at position: Range<Int>) throws(Fault) {
        let function = call.function
        let count = call.arguments.count
        let needed = function.optionalCount == 0 ? function.arguments.count : function.arguments.count - 1
        if function.optionalCount == 0 {
            guard count == needed else {
                throw Fault(
                    "expected \(needed) argument(s) in call to \"\(function.name)\", got \(count)", at: position)
            }
        } else {
            guard count >= needed else {
                throw Fault(
                    "expected at least \(needed) argument(s) in call to \"\(function.name)\", got \(count)",
                    at: position)
            }
            guard function.optionalCount < 0 || count <= needed + function.optionalCount else {
                throw Fault(
                    "expected at most \(needed + function.optionalCount) argument(s) in call to \"\(function.name)\", got \(count)",
                    at: position)
            }
        }
        for (index, argument) in call.arguments.enumerated() {
            try expect(
                function.type(ofArgument: index), argument, in: "call to function \"\(function.name)\"",
                scalarToo: false)
        }
    }

    private static func check(_ aggregation: Aggregation) throws(Fault) {
        try expect(.instantVector, aggregation.expression, in: "aggregation expression", scalarToo: false)
        guard let parameter = aggregation.parameter else { return }
        let type: ValueType = aggregation.operation == .countValues ? .string : .scalar
        try expect(type, parameter, in: "aggregation parameter", scalarToo: false)
    }

    private static func check(_ binary: Binary, at position: Range<Int>) throws(Fault) {
        let types = [binary.left.type, binary.right.type]
        guard types.allSatisfy({ $0 == .scalar || $0 == .instantVector }) else {
            throw Fault("binary expression must contain only scalar and instant vector types", at: position)
        }
        let hasScalar = types.contains(.scalar)
        if hasScalar, binary.operation.isSet {
            throw Fault(
                "set operator \"\(binary.operation.rawValue)\" not allowed in binary scalar expression", at: position)
        }
        if hasScalar, let matching = binary.matching {
            let fills = matching.fillLeft != nil || matching.fillRight != nil
            throw Fault(
                fills
                    ? "filling in missing series only allowed between instant vectors"
                    : "vector matching only allowed between instant vectors", at: position)
        }
        if types == [.scalar, .scalar], binary.operation.isComparison, !binary.returnsBoolean {
            throw Fault("comparisons between scalars must use BOOL modifier", at: position)
        }
    }
}
