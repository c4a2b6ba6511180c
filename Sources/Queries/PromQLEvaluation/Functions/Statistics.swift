/// The sums, averages and quantiles of PromQL.
enum Statistics {
    /// A sum that keeps what rounding loses (Neumaier's form of Kahan's summation).
    struct Sum {
        private(set) var sum: Double
        private(set) var compensation = 0.0

        init(_ start: Double = 0) { sum = start }

        @inline(__always)
        mutating func add(_ value: Double) {
            let total = sum + value
            if total.isInfinite {
                compensation = 0
            } else if abs(sum) >= abs(value) {
                compensation += (sum - total) + value
            } else {
                compensation += (value - total) + sum
            }
            sum = total
        }

        var value: Double { sum + compensation }
    }

    static func sum(_ values: some Sequence<Double>) -> Double {
        var sum = Sum()
        for value in values { sum.add(value) }
        return sum.value
    }

    /// The mean: the sum by the count, or, where the sum overflows, the running mean.
    static func average(_ values: some Collection<Double>) -> Double {
        let direct = sum(values)
        if direct.isFinite || direct.isNaN || values.contains(where: \.isInfinite) {
            return direct / Double(values.count)
        }
        // Each value is scaled first, so that no intermediate result can overflow.
        var scaled = Sum()
        for value in values { scaled.add(value / Double(values.count)) }
        return scaled.value
    }

    /// The smallest number; NaN only when there is nothing else.
    static func minimum(_ values: some Sequence<Double>) -> Double {
        var result = Double.nan
        for value in values where value < result || result.isNaN { result = value }
        return result
    }

    static func maximum(_ values: some Sequence<Double>) -> Double {
        var result = Double.nan
        for value in values where value > result || result.isNaN { result = value }
        return result
    }

    /// The population variance by Welford's method, with compensated sums.
    static func variance(_ values: some Sequence<Double>) -> Double {
        var count = 0.0
        var mean = Sum()
        var squares = Sum()
        for value in values {
            count += 1
            let delta = value - mean.value
            mean.add(delta / count)
            squares.add(delta * (value - mean.value))
        }
        return squares.value / count
    }

    /// The quantile with linear interpolation between neighbours; NaN counts as the smallest number.
    static func quantile(_ quantile: Double, _ values: some Sequence<Double>) -> Double {
        let sorted = values.sorted { $0 < $1 || ($0.isNaN && !$1.isNaN) }
        if sorted.isEmpty || quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let rank = quantile * Double(sorted.count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let upper = min(sorted.count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        return sorted[lower] * (1 - weight) + sorted[upper] * weight
    }

    /// The line of least squares through the samples of a window.
    ///
    /// `nil` when all samples have one time. `intercept` is the line's value at `origin`.
    static func regression(_ window: Window, origin: Int64) -> (slope: Double, intercept: Double) {
        var sumX = Sum()
        var sumY = Sum()
        var sumXY = Sum()
        var sumXX = Sum()
        let first = window.values[0]
        var isConstant = true
        for index in 0..<window.count {
            let x = Double(window.times[index] - origin) / 1e6
            let y = window.values[index]
            if y != first { isConstant = false }
            sumX.add(x)
            sumY.add(y)
            sumXY.add(x * y)
            sumXX.add(x * x)
        }
        if isConstant { return first.isInfinite ? (.nan, .nan) : (0, first) }
        let count = Double(window.count)
        let covariance = sumXY.value - sumX.value * sumY.value / count
        let variance = sumXX.value - sumX.value * sumX.value / count
        let slope = covariance / variance
        return (slope, sumY.value / count - slope * sumX.value / count)
    }
}

/// Numbers as the HTTP interface of Prometheus writes them.
package enum NumberText {
    /// The shortest text that reads back as the same number: `1`, `0.5`, `1e+21`, `+Inf`, `NaN`.
    package static func of(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 {
            return value == 0 && value.sign == .minus ? "-0" : String(Int64(value))
        }
        var text = value.description
        // Hardly any has an exponent.
        guard text.withUTF8({ $0.contains(UInt8(ascii: "e")) }),
            let mark = text.utf8.firstIndex(of: UInt8(ascii: "e"))
        else { return text }
        var mantissa = String(text[..<mark])
        if mantissa.hasSuffix(".0") { mantissa.removeLast(2) }
        let exponent = Int(text[text.index(after: mark)...].replacing("+", with: "")) ?? 0
        // Up to 21 digits are written out, as Go does.
        if exponent >= 0, exponent < 21 {
            let digits = mantissa.filter { $0.isNumber }
            let sign = mantissa.hasPrefix("-") ? "-" : ""
            if digits.count <= exponent + 1 {
                return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count)
            }
        }
        let absolute = abs(exponent)
        return mantissa + "e" + (exponent < 0 ? "-" : "+") + (absolute < 10 ? "0\(absolute)" : "\(absolute)")
    }
}
