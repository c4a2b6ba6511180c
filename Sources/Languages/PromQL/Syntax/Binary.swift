/// Two expressions with an operator between them.
package struct Binary: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable, CaseIterable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
        case atan2
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case less = "<"
        case greaterOrEqual = ">="
        case lessOrEqual = "<="
        case and
        case or
        case unless

        package var isComparison: Bool {
            switch self {
            case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: true
            default: false
            }
        }

        package var isSet: Bool { self == .and || self == .or || self == .unless }

        /// How tightly it binds, 1 for `or` to 6 for `^`.
        package var precedence: Int {
            switch self {
            case .or: 1
            case .and, .unless: 2
            case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: 3
            case .add, .subtract: 4
            case .multiply, .divide, .modulo, .atan2: 5
            case .power: 6
            }
        }
    }

    package let operation: Operator
    package let left: Expression
    package let right: Expression
    /// Whether a comparison gives 0 or 1 instead of filtering.
    package let returnsBoolean: Bool
    /// How series find each other; only between two vectors.
    package let matching: VectorMatching?

    package init(
        operation: Operator, left: Expression, right: Expression, returnsBoolean: Bool, matching: VectorMatching?
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.returnsBoolean = returnsBoolean
        self.matching = matching
    }
}

/// Which series of two vectors belong together.
package struct VectorMatching: Sendable, Hashable {
    package enum Cardinality: Sendable, Hashable {
        case oneToOne
        /// `group_left`: several series on the left for one on the right.
        case manyToOne
        /// `group_right`.
        case oneToMany
        /// Set operators.
        case manyToMany
    }

    package var cardinality = Cardinality.oneToOne
    package var labels: [String] = []
    /// Whether the labels are the ones that must be equal (`on`) or the ones that need not be (`ignoring`).
    package var isOn = false
    /// Labels that `group_left` and `group_right` copy from the one side.
    package var included: [String] = []
    /// What stands for a series that only the right side has.
    package var fillLeft: Double?
    /// What stands for a series that only the left side has.
    package var fillRight: Double?

    package init() {}
}
