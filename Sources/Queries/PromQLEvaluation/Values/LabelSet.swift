package import VigilModel

/// The labels of a result, the metric name among them as `__name__`; sorted by name.
package struct LabelSet: Sendable {
    package private(set) var pairs: [Labels.Label]
    /// What was made of these labels before, where somebody keeps it.
    private(set) var known: KnownLabels?

    package static let empty = LabelSet(pairs: [])
    static let metricName = LabelMatcher.metricName

    private init(pairs: [Labels.Label]) {
        self.pairs = pairs
    }

    /// The same labels, with what is made of them for answers.
    func kept() -> LabelSet {
        var bare = LabelSet(pairs: pairs.filter { $0.name != Self.metricName })
        bare.known = KnownLabels(bare: nil, json: PrometheusAnswer.json(bare))
        var kept = self
        kept.known = KnownLabels(bare: bare, json: PrometheusAnswer.json(self))
        return kept
    }

    package init(metric: String?, labels: Labels) {
        self.init(metric: metric, labels: labels, nil)
    }

    /// With one more label, which replaces another of its name.
    init(metric: String?, labels: Labels, _ more: (name: String, value: String)?) {
        pairs = []
        pairs.reserveCapacity(labels.all.count + 2)
        pairs += labels.all
        if let more { set(more.name, to: more.value) }
        if let metric, !metric.isEmpty { set(Self.metricName, to: metric) }
    }

    /// The value of a label; empty when there is none.
    package subscript(_ name: String) -> String {
        for pair in pairs where pair.name == name { return pair.value }
        return ""
    }

    /// Sets a label; an empty value takes it away.
    mutating func set(_ name: String, to value: String) {
        known = nil
        let place = pairs.firstIndex { !$0.name.utf8.lexicographicallyPrecedes(name.utf8) } ?? pairs.count
        let isThere = place < pairs.count && pairs[place].name == name
        if value.isEmpty {
            if isThere { pairs.remove(at: place) }
        } else if isThere {
            pairs[place] = Labels.Label(name: name, value: value)
        } else {
            pairs.insert(Labels.Label(name: name, value: value), at: place)
        }
    }

    func keeping(_ names: Set<String>) -> LabelSet { LabelSet(pairs: pairs.filter { names.contains($0.name) }) }

    func removing(_ names: Set<String>) -> LabelSet { LabelSet(pairs: pairs.filter { !names.contains($0.name) }) }

    var withoutName: LabelSet {
        if let known { return known.bare ?? self }
        return LabelSet(pairs: pairs.filter { $0.name != Self.metricName })
    }

    /// The labels as messages write them: `{__name__="a", b="c"}`.
    var text: String {
        "{" + pairs.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ") + "}"
    }
}

extension LabelSet: Hashable {
    package static func == (left: LabelSet, right: LabelSet) -> Bool { left.pairs == right.pairs }

    package func hash(into hasher: inout Hasher) { hasher.combine(pairs) }
}

/// What answers need of labels.
final class KnownLabels: Sendable {
    /// The labels without the name of the metric; `nil` where there is none.
    let bare: LabelSet?
    /// An object of JSON.
    let json: [UInt8]

    init(bare: LabelSet?, json: [UInt8]) {
        self.bare = bare
        self.json = json
    }
}

extension LabelSet: Comparable {
    package static func < (left: LabelSet, right: LabelSet) -> Bool {
        left.pairs.withUnsafeBufferPointer { left in
            right.pairs.withUnsafeBufferPointer { right in
                for place in 0..<min(left.count, right.count) {
                    if left[place].name != right[place].name {
                        return byteOrder(left[place].name, right[place].name) < 0
                    }
                    let order = byteOrder(left[place].value, right[place].value)
                    if order != 0 { return order < 0 }
                }
                return left.count < right.count
            }
        }
    }
}

/// Below, at or above zero, as the bytes of `left` come before, are or come after those of `right`.
private func byteOrder(_ left: String, _ right: String) -> Int {
    let order = left.utf8.withContiguousStorageIfAvailable { left in
        right.utf8.withContiguousStorageIfAvailable { right in
            let common = min(left.count, right.count)
            for index in 0..<common where left[index] != right[index] {
                return Int(left[index]) - Int(right[index])
            }
            return left.count - right.count
        }
    }
    if case .some(.some(let order)) = order { return order }
    return left == right ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
}
