#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The arithmetic of PromQL: 64-bit floats, with the remainder of truncated division.
package enum Arithmetic {
    package static func apply(_ operation: DurationExpression.Operator, _ left: Double, _ right: Double) -> Double {
        switch operation {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .modulo: fmod(left, right)
        case .power: pow(left, right)
        }
    }

    /// The value of an arithmetic operator; `nil` for comparisons and set operators.
    @inline(__always)
    package static func apply(_ operation: Binary.Operator, _ left: Double, _ right: Double) -> Double? {
        switch operation {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .modulo: fmod(left, right)
        case .power: pow(left, right)
        case .atan2: atan2(left, right)
        default: nil
        }
    }

    /// Whether a comparison holds; false for other operators.
    @inline(__always)
    package static func compare(_ operation: Binary.Operator, _ left: Double, _ right: Double) -> Bool {
        switch operation {
        case .equal: left == right
        case .notEqual: left != right
        case .greater: left > right
        case .less: left < right
        case .greaterOrEqual: left >= right
        case .lessOrEqual: left <= right
        default: false
        }
    }
}
