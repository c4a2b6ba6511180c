package import VigilModel
import VigilPorts

extension PromQLEngine {
    /// The label sets of all series that one of the selectors names and that have a sample in `range`.
    ///
    /// No selector means every series of the scope.
    package func series(
        _ selectors: [[LabelMatcher]], in range: TimeRange, in scope: AccessScope
    ) async throws(QueryError) -> [LabelSet] {
        var found: Set<LabelSet> = []
        var writer = LabelWriter()
        for matchers in selectors.isEmpty ? [[]] : selectors {
            guard let (selection, test) = try SelectorLoader.selection(matchers, range, patterns) else { continue }
            do throws(StoreError) {
                for identity in try await store.series(selection, in: scope) where test(identity) {
                    found.insert(writer.labels(of: identity))
                }
            } catch {
                throw QueryError(error)
            }
            guard found.count <= limits.series else {
                throw QueryError(.execution, "the selectors name more than \(limits.series) series")
            }
        }
        return found.sorted()
    }

    /// The names of all labels of the series, sorted.
    package func labelNames(
        _ selectors: [[LabelMatcher]], in range: TimeRange, in scope: AccessScope
    ) async throws(QueryError) -> [String] {
        Set(try await series(selectors, in: range, in: scope).flatMap { $0.pairs.map(\.name) }).sorted()
    }

    /// The values that a label has, sorted.
    package func labelValues(
        of name: String, _ selectors: [[LabelMatcher]], in range: TimeRange, in scope: AccessScope
    ) async throws(QueryError) -> [String] {
        Set(try await series(selectors, in: range, in: scope).map { $0[name] }.filter { !$0.isEmpty }).sorted()
    }
}
