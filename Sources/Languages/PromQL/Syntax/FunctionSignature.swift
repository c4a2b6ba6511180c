/// What an expression evaluates to.
package enum ValueType: String, Sendable, Hashable {
    case scalar
    case string
    case instantVector = "instant vector"
    case rangeVector = "range vector"
}

/// A function's name, and the types of its arguments and of its value.
package struct FunctionSignature: Sendable, Hashable {
    package let name: String
    package let arguments: [ValueType]
    /// How many arguments beyond the others may follow or be left out: none, up to a number, or any number (-1).
    ///
    /// When it is not 0 the last of `arguments` is the optional one.
    package let optionalCount: Int
    package let result: ValueType

    init(_ name: String, _ arguments: [ValueType], optional: Int = 0, _ result: ValueType = .instantVector) {
        self.name = name
        self.arguments = arguments
        optionalCount = optional
        self.result = result
    }

    /// The function of a name, or `nil`.
    package static func named(_ name: String) -> FunctionSignature? { all[name] }

    /// The type that the argument at `index` must have.
    func type(ofArgument index: Int) -> ValueType { arguments[min(index, arguments.count - 1)] }

    private static let all: [String: FunctionSignature] = {
        let vector = [ValueType.instantVector]
        let range = [ValueType.rangeVector]
        var list: [FunctionSignature] = []
        for name in [
            "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp",
            "floor", "histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum", "ln",
            "log10", "log2", "rad", "sgn", "sin", "sinh", "sort", "sort_desc", "sqrt", "tan", "tanh", "timestamp",
        ] {
            list.append(FunctionSignature(name, vector))
        }
        for name in [
            "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "first_over_time",
            "idelta", "increase", "irate", "last_over_time", "mad_over_time", "max_over_time", "min_over_time",
            "present_over_time", "rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time",
            "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
        ] {
            list.append(FunctionSignature(name, range))
        }
        for name in [
            "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year",
        ] {
            list.append(FunctionSignature(name, vector, optional: 1))
        }
        for name in ["end", "pi", "range", "start", "step", "time"] {
            list.append(FunctionSignature(name, [], .scalar))
        }
        for name in ["sort_by_label", "sort_by_label_desc"] {
            list.append(FunctionSignature(name, [.instantVector, .string], optional: -1))
        }
        for name in ["max_of", "min_of"] { list.append(FunctionSignature(name, [.scalar, .scalar], .scalar)) }
        list += [
            FunctionSignature("clamp", [.instantVector, .scalar, .scalar]),
            FunctionSignature("clamp_max", [.instantVector, .scalar]),
            FunctionSignature("clamp_min", [.instantVector, .scalar]),
            FunctionSignature("double_exponential_smoothing", [.rangeVector, .scalar, .scalar]),
            FunctionSignature("histogram_fraction", [.scalar, .scalar, .instantVector]),
            FunctionSignature("histogram_quantile", [.scalar, .instantVector]),
            FunctionSignature("histogram_quantiles", [.instantVector, .string, .scalar, .scalar], optional: -1),
            FunctionSignature("label_join", [.instantVector, .string, .string, .string], optional: -1),
            FunctionSignature("label_replace", [.instantVector, .string, .string, .string, .string]),
            FunctionSignature("predict_linear", [.rangeVector, .scalar]),
            FunctionSignature("quantile_over_time", [.scalar, .rangeVector]),
            FunctionSignature("round", [.instantVector, .scalar], optional: 1),
            FunctionSignature("scalar", vector, .scalar),
            FunctionSignature("vector", [.scalar]),
        ]
        return Dictionary(list.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }()
}
