import PromQL
package import VigilModel

/// Times and durations as the Prometheus HTTP interface takes them.
package enum QueryParameters {
    /// Seconds since 1970, perhaps with a fraction, or an RFC 3339 time.
    package static func time(_ text: String) -> Timestamp? {
        if let seconds = Double(text) {
            // Times are exact to the millisecond, as those of Prometheus.
            guard seconds.isFinite, abs(seconds) < 9e12 else { return nil }
            return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        }
        return text.utf8.count >= 10 ? Timestamp(text) : nil
    }

    /// Seconds, or a duration such as `5m`.
    package static func span(_ text: String) -> Span? {
        if let seconds = Double(text) { return DurationExpression.span(seconds) }
        guard let expression = try? Parser.parse(text), case .number(let seconds) = expression.kind else { return nil }
        return DurationExpression.span(seconds)
    }

    /// The matchers of a `match[]` parameter.
    package static func matchers(_ text: String) throws(QueryError) -> [LabelMatcher] {
        do throws(SyntaxError) {
            return try Parser.parseSelector(text)
        } catch {
            throw QueryError(error)
        }
    }
}
