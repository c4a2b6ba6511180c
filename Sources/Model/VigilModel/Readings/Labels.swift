/// The labels of a series: names with values, sorted by name, each name once, no empty values.
///
/// An empty value means the same as an absent label, as in Prometheus, so it is dropped here.
package struct Labels: Hashable, Sendable {
    package struct Label: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Sorted by the bytes of the name.
    package let all: [Label]

    package static let none = Labels([:])

    /// A name that comes twice keeps its last value.
    package init(_ pairs: some Sequence<(String, String)>) {
        self.init(Dictionary(pairs.map { ($0, $1) }, uniquingKeysWith: { $1 }))
    }

    package init(_ dictionary: [String: String]) {
        all =
            dictionary.filter { !$0.value.isEmpty }
            .map { Label(name: $0.key, value: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    package subscript(_ name: String) -> String? {
        // Series have few labels, so a walk beats a search.
        for label in all where label.name == name { return label.value }
        return nil
    }

    /// The same labels with `value` for `name`; an empty value takes the label away.
    package func setting(_ name: String, to value: String) -> Labels {
        var dictionary = self.dictionary
        dictionary[name] = value
        return Labels(dictionary)
    }

    package func removing(_ names: Set<String>) -> Labels {
        Labels(sorted: all.filter { !names.contains($0.name) })
    }

    package func keeping(_ names: Set<String>) -> Labels {
        Labels(sorted: all.filter { names.contains($0.name) })
    }

    /// The same without one label.
    package func removing(_ name: String) -> Labels { Labels(sorted: all.filter { $0.name != name }) }

    private init(sorted all: [Label]) {
        self.all = all
    }

    package var dictionary: [String: String] {
        Dictionary(all.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    package var isEmpty: Bool { all.isEmpty }
}

extension Labels: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }
}

extension Labels: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([String: String].self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dictionary)
    }
}

/// A condition on one label, as PromQL writes it between braces.
///
/// An absent label has the empty value.
package struct LabelMatcher: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        /// The pattern (RE2 syntax) must match the whole value.
        case matches = "=~"
        case notMatches = "!~"
    }

    /// A label's name; `__name__` is the metric.
    package let name: String
    package let operation: Operation
    package let value: String

    package init(_ name: String, _ operation: Operation, _ value: String) {
        self.name = name
        self.operation = operation
        self.value = value
    }

    /// The name under which the metric is matched.
    package static let metricName = "__name__"

    package static func metric(_ name: String) -> LabelMatcher { LabelMatcher(metricName, .equal, name) }
}
