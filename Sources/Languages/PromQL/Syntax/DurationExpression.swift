package import VigilModel

/// A length of time, which may be computed from the step and the range of the query.
package indirect enum DurationExpression: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
    }

    case seconds(Double)
    /// The step of the query; nothing in an instant query.
    case step
    /// From the start to the end of the query.
    case range
    case negated(DurationExpression)
    case binary(Operator, DurationExpression, DurationExpression)
    case minimum(DurationExpression, DurationExpression)
    case maximum(DurationExpression, DurationExpression)

    /// The length in seconds, given the step and the range of the query in seconds.
    package func seconds(step: Double, range: Double) -> Double {
        switch self {
        case .seconds(let value): return value
        case .step: return step
        case .range: return range
        case .negated(let inner): return -inner.seconds(step: step, range: range)
        case .minimum(let left, let right):
            return min(left.seconds(step: step, range: range), right.seconds(step: step, range: range))
        case .maximum(let left, let right):
            return max(left.seconds(step: step, range: range), right.seconds(step: step, range: range))
        case .binary(let operation, let left, let right):
            return Arithmetic.apply(
                operation, left.seconds(step: step, range: range), right.seconds(step: step, range: range))
        }
    }

    /// The length, when it depends on nothing and can be represented.
    package var constant: Span? {
        guard isConstant else { return nil }
        return Self.span(seconds(step: 0, range: 0))
    }

    package var isConstant: Bool {
        switch self {
        case .seconds: true
        case .step, .range: false
        case .negated(let inner): inner.isConstant
        case .binary(_, let left, let right), .minimum(let left, let right), .maximum(let left, let right):
            left.isConstant && right.isConstant
        }
    }

    /// Seconds as a span, or `nil` outside of what a span can hold (292,000 years).
    package static func span(_ seconds: Double) -> Span? {
        let microseconds = (seconds * 1_000_000).rounded()
        guard microseconds.isFinite, abs(microseconds) < 9.2e18 else { return nil }
        return Span(microseconds: Int64(microseconds))
    }
}

extension DurationExpression {
    /// Writes whole milliseconds with the units of PromQL, anything else as seconds.
    package static func text(of seconds: Double) -> String {
        guard let span = span(seconds), span.microseconds % 1000 == 0, span.microseconds > 0 else {
            return seconds == seconds.rounded() && abs(seconds) < 1e15 ? String(Int64(seconds)) : "\(seconds)"
        }
        var rest = span.microseconds / 1000
        var text = ""
        for (unit, milliseconds) in units where rest >= milliseconds {
            // Years and weeks only where they leave nothing, so that 10 days are not a week and three days.
            if unit == "y" || unit == "w", rest % milliseconds != 0 { continue }
            text += "\(rest / milliseconds)\(unit)"
            rest %= milliseconds
        }
        return text
    }

    static let units: [(String, Int64)] = [
        ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]
}
