/// A moment, in microseconds since 1970-01-01T00:00:00Z.
///
/// Finer clocks are truncated toward −∞ (``init(nanoseconds:)``), so that truncation never moves a reading into the
/// future. The range is the years 0000 to 9999, the years that RFC 3339 can write.
package struct Timestamp: Hashable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package init(milliseconds: Int64) {
        self.init(microseconds: milliseconds.clampedProduct(1000))
    }

    package init(seconds: Int64) {
        self.init(microseconds: seconds.clampedProduct(1_000_000))
    }

    /// Truncates toward −∞.
    package init(nanoseconds: Int64) {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
        self.init(microseconds: remainder < 0 ? quotient - 1 : quotient)
    }

    /// Seconds since 1970 with a fraction, as the Prometheus HTTP API writes them.
    package var secondsSince1970: Double { Double(microseconds) / 1_000_000 }

    /// The earliest moment: the beginning of the year 0000.
    package static let distantPast = Timestamp(microseconds: -62_167_219_200_000_000)
    /// The last moment: the end of the year 9999.
    package static let distantFuture = Timestamp(microseconds: 253_402_300_799_999_999)
}

extension Timestamp: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (left: Self, right: Span) -> Self {
        Timestamp(microseconds: left.microseconds.clampedSum(right.microseconds))
    }

    package static func - (left: Self, right: Span) -> Self {
        Timestamp(microseconds: left.microseconds.clampedDifference(right.microseconds))
    }

    package static func - (left: Self, right: Self) -> Span {
        Span(microseconds: left.microseconds.clampedDifference(right.microseconds))
    }
}

/// A length of time, in microseconds.
package struct Span: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package static func milliseconds(_ count: Int64) -> Span { Span(microseconds: count.clampedProduct(1000)) }
    package static func seconds(_ count: Int64) -> Span { Span(microseconds: count.clampedProduct(1_000_000)) }

    /// The nearest length that can be told; NaN is none.
    package init(seconds: Double) {
        let rounded = (seconds * 1_000_000).rounded()
        self.init(microseconds: Int64(exactly: rounded) ?? (rounded > 0 ? .max : rounded < 0 ? .min : 0))
    }

    package static func minutes(_ count: Int64) -> Span { seconds(count.clampedProduct(60)) }
    package static func hours(_ count: Int64) -> Span { seconds(count.clampedProduct(3600)) }
    package static func days(_ count: Int64) -> Span { seconds(count.clampedProduct(86_400)) }

    package var seconds: Double { Double(microseconds) / 1_000_000 }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }
}

/// A half-open stretch of time: `start` belongs to it, `end` does not.
package struct TimeRange: Hashable, Sendable {
    package var start: Timestamp
    package var end: Timestamp

    /// An empty range when `end` is not after `start`.
    package init(_ start: Timestamp, _ end: Timestamp) {
        self.start = start
        self.end = max(start, end)
    }

    /// All of time.
    package static let always = TimeRange(.distantPast, Timestamp(microseconds: .max))

    package func contains(_ time: Timestamp) -> Bool { start <= time && time < end }
    package var isEmpty: Bool { start == end }
}

extension Int64 {
    fileprivate func clampedProduct(_ other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    fileprivate func clampedDifference(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    fileprivate func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
