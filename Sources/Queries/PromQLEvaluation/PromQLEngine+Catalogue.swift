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
            guard let (selection, test) = try SelectorLoader.selection(matchers, range, patterns, expressions) else {
                continue
            }
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
        guard let selections = try listed(selectors, range) else {
            return Set(try await series(selectors, in: range, in: scope).flatMap { $0.pairs.map(\.name) }).sorted()
        }
        var result: Set<String> = []
        do throws(StoreError) {
            for selection in selections {
                if try await store.labelValues(of: LabelMatcher.metricName, selection, in: scope).isEmpty { continue }
                result.insert(LabelMatcher.metricName)
                result.formUnion(try await store.labelNames(selection, in: scope))
                if try await !store.devices(selection, in: scope).isEmpty { result.insert(SelectorLoader.deviceLabel) }
            }
        } catch {
            throw QueryError(error)
        }
        return result.sorted()
    }

    /// The values that a label has, sorted.
    package func labelValues(
        of name: String, _ selectors: [[LabelMatcher]], in range: TimeRange, in scope: AccessScope
    ) async throws(QueryError) -> [String] {
        guard let selections = try listed(selectors, range) else {
            return Set(try await series(selectors, in: range, in: scope).map { $0[name] }.filter { !$0.isEmpty })
                .sorted()
        }
        var result: Set<String> = []
        do throws(StoreError) {
            for selection in selections {
                if name == SelectorLoader.deviceLabel {
                    result.formUnion(try await store.devices(selection, in: scope).map(\.description))
                } else {
                    result.formUnion(try await store.labelValues(of: name, selection, in: scope))
                }
            }
        } catch {
            throw QueryError(error)
        }
        return result.filter { !$0.isEmpty }.sorted()
    }

    /// What the store's listings are asked for; `nil` when a matcher needs a look at every series.
    private func listed(_ selectors: [[LabelMatcher]], _ range: TimeRange) throws(QueryError) -> [SeriesSelection]? {
        var result: [SeriesSelection] = []
        for matchers in selectors.isEmpty ? [[]] : selectors {
            for matcher in matchers {
                if matcher.name == SelectorLoader.deviceLabel, matcher.operation != .equal || matcher.value.isEmpty {
                    return nil
                }
                if matcher.name == LabelMatcher.metricName, matcher.operation == .equal,
                    matcher.value.hasPrefix("__")
                {
                    return nil
                }
            }
            if let (selection, _) = try SelectorLoader.selection(matchers, range, patterns, expressions) {
                result.append(selection)
            }
        }
        return result
    }
}
