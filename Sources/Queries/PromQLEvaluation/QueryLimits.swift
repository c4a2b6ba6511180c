package import VigilModel

/// The bounds of one query.
package struct QueryLimits: Sendable, Hashable {
    /// Samples that may be read, and values that one expression may give.
    package var samples = 20_000_000
    package var series = 200_000
    /// Steps of a range query, as in Prometheus.
    package var steps = 11_000
    package var duration = Span.minutes(2)
    /// How far back an instant looks for a sample.
    package var lookback = Span.minutes(5)
    /// The step of subqueries that name none.
    package var subqueryStep = Span.minutes(1)

    package init() {}
}

/// Compiles the patterns of `label_replace` and of matchers on labels that the evaluator adds.
///
/// The languages below services may not see the pattern engine, so the caller brings it in.
package struct PatternEngine: Sendable {
    /// A compiled pattern: the texts of the whole match and of each group when all of a text matches.
    package typealias Groups = @Sendable (String) -> [String?]?

    package struct Compiled: Sendable {
        package let groups: Groups
        /// The number of each named group.
        package let names: [String: Int]

        package init(groups: @escaping Groups, names: [String: Int]) {
            self.groups = groups
            self.names = names
        }
    }

    /// Compiles a pattern; `nil` when it is malformed.
    package let compile: @Sendable (String) -> Compiled?

    package init(compile: @escaping @Sendable (String) -> Compiled?) {
        self.compile = compile
    }
}
