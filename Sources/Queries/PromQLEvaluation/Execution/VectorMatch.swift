import PromQL

/// Joins the series of two vectors group by group, and collects the results.
struct VectorMatch {
    let binary: Binary
    let matching: VectorMatching
    /// Whether the side with several series is the right one.
    let isSwapped: Bool
    let stepCount: Int
    private(set) var series: [StepSeries] = []
    private var places: [LabelSet: Int] = [:]
    /// Steps at which a result has been made, even where the comparison did not hold.
    private var made: [[Bool]] = []

    init(binary: Binary, matching: VectorMatching, isSwapped: Bool, stepCount: Int) {
        self.binary = binary
        self.matching = matching
        self.isSwapped = isSwapped
        self.stepCount = stepCount
    }

    var fills: Bool { matching.fillLeft != nil || matching.fillRight != nil }

    /// Joins the series that share `key`.
    mutating func join(
        _ many: [StepSeries], _ one: [StepSeries], _ key: LabelSet, populated: [Bool]
    ) throws(QueryError) {
        let fillOne = isSwapped ? matching.fillLeft : matching.fillRight
        let fillMany = isSwapped ? matching.fillRight : matching.fillLeft
        var results = [Int?](repeating: nil, count: max(1, many.count) * (one.count + 1))
        for step in 0..<stepCount where populated[step] {
            let partner = try partner(one, at: step, key)
            let present = many.indices.filter { !StepSeries.isAbsent(many[$0].values[step]) }
            if matching.cardinality == .oneToOne, present.count > 1, partner != nil || fillOne != nil {
                throw QueryError(
                    .execution,
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
            }
            if present.isEmpty, let partner, let fillMany {
                try add(
                    fillMany, one[partner].values[step], one[partner].labels.keepingShared(matching), one[partner],
                    at: step, dropsName: true)
            }
            for index in present {
                let right = partner.map { one[$0].values[step] } ?? fillOne
                guard let right else { continue }
                let slot = index * (one.count + 1) + (partner ?? one.count)
                if results[slot] == nil {
                    results[slot] = result(labels(many[index].labels, partner.map { one[$0].labels }), many[index])
                }
                guard let place = results[slot] else { continue }
                try put(many[index].values[step], right, into: place, at: step)
            }
        }
    }

    /// The one series that has a value at a step; two are an error.
    private func partner(_ one: [StepSeries], at step: Int, _ key: LabelSet) throws(QueryError) -> Int? {
        var found: Int?
        for index in one.indices where !StepSeries.isAbsent(one[index].values[step]) {
            guard let first = found else {
                found = index
                continue
            }
            let pair = [one[first].labels, one[index].labels].sorted().map(\.text).joined(separator: ", ")
            throw QueryError(
                .execution,
                "found duplicate series for the match group \(key.text) on the \(isSwapped ? "left" : "right") hand-side "
                    + "of the operation: [\(pair)];many-to-many matching not allowed: matching labels must be unique on one side"
            )
        }
        return found
    }

    private mutating func add(
        _ manyValue: Double, _ oneValue: Double, _ labels: LabelSet, _ source: StepSeries, at step: Int, dropsName: Bool
    ) throws(QueryError) {
        var source = source
        source.dropsName = source.dropsName || dropsName
        try put(manyValue, oneValue, into: result(labels, source), at: step)
    }

    private mutating func put(_ many: Double, _ one: Double, into place: Int, at step: Int) throws(QueryError) {
        guard !made[place][step] else {
            throw QueryError(
                .execution, "multiple matches for labels: grouping labels must ensure unique matches")
        }
        made[place][step] = true
        let (left, right) = isSwapped ? (one, many) : (many, one)
        if let number = Arithmetic.apply(binary.operation, left, right) {
            series[place].values[step] = number
            return
        }
        let holds = Arithmetic.compare(binary.operation, left, right)
        if binary.returnsBoolean {
            series[place].values[step] = holds ? 1 : 0
        } else if holds {
            series[place].values[step] = left
        }
    }

    private mutating func result(_ labels: LabelSet, _ source: StepSeries) -> Int {
        if let place = places[labels] { return place }
        let place = series.count
        places[labels] = place
        series.append(
            StepSeries(
                labels: labels, dropsName: source.dropsName || binary.returnsBoolean,
                values: [Double](repeating: StepSeries.absent, count: stepCount)))
        made.append([Bool](repeating: false, count: stepCount))
        return place
    }

    /// The labels of a result: those of the series on the side of the many, as the matching changes them.
    private func labels(_ many: LabelSet, _ one: LabelSet?) -> LabelSet {
        var labels = many
        if !binary.operation.isComparison { labels.set(LabelSet.metricName, to: "") }
        if matching.cardinality == .oneToOne {
            labels = matching.isOn ? labels.keeping(Set(matching.labels)) : labels.removing(Set(matching.labels))
        }
        for name in matching.included { labels.set(name, to: one?[name] ?? "") }
        return labels
    }
}

extension LabelSet {
    /// The labels that both sides of a match share.
    func keepingShared(_ matching: VectorMatching) -> LabelSet {
        matching.isOn ? keeping(Set(matching.labels)) : removing(Set(matching.labels + [Self.metricName]))
    }
}
