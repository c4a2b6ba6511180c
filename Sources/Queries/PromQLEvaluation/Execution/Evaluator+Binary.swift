import PromQL

extension Evaluator {
    func evaluate(_ binary: Binary, _ expression: Expression, on grid: StepGrid) throws(QueryError) -> StepValue {
        let left = try evaluate(binary.left, on: grid)
        let right = try evaluate(binary.right, on: grid)
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)):
            return .scalar(
                zip(left, right).map { left, right in
                    Arithmetic.apply(binary.operation, left, right)
                        ?? (Arithmetic.compare(binary.operation, left, right) ? 1 : 0)
                })
        case (.vector(let series), .scalar(let values)):
            return .vector(try withScalar(series, values, binary, isSwapped: false))
        case (.scalar(let values), .vector(let series)):
            return .vector(try withScalar(series, values, binary, isSwapped: true))
        case (.vector(let left), .vector(let right)):
            if binary.operation.isSet { return .vector(try combined(left, right, binary, on: grid)) }
            return .vector(try matched(left, right, binary, on: grid))
        default: throw mistake
        }
    }

    private func withScalar(
        _ series: [StepSeries], _ scalars: [Double], _ binary: Binary, isSwapped: Bool
    ) throws(QueryError) -> [StepSeries] {
        let operation = binary.operation
        var result: [StepSeries] = []
        for var item in series {
            try context.check()
            for step in item.values.indices {
                let value = item.values[step]
                guard !StepSeries.isAbsent(value) else { continue }
                let (left, right) = isSwapped ? (scalars[step], value) : (value, scalars[step])
                if let number = Arithmetic.apply(operation, left, right) {
                    item.values[step] = number
                } else {
                    let holds = Arithmetic.compare(operation, left, right)
                    item.values[step] = binary.returnsBoolean ? (holds ? 1 : 0) : holds ? value : StepSeries.absent
                }
            }
            if !operation.isComparison || binary.returnsBoolean { item.dropsName = true }
            if !item.isEmpty { result.append(item) }
        }
        return result
    }

    /// The labels by which series of both sides find each other.
    private func signature(_ labels: LabelSet, _ matching: VectorMatching) -> LabelSet {
        matching.isOn
            ? labels.keeping(Set(matching.labels)) : labels.removing(Set(matching.labels + [LabelSet.metricName]))
    }

    // MARK: - Set operators

    private func combined(
        _ left: [StepSeries], _ right: [StepSeries], _ binary: Binary, on grid: StepGrid
    ) throws(QueryError) -> [StepSeries] {
        let matching = binary.matching ?? VectorMatching()
        switch binary.operation {
        case .or:
            return left + filtered(right, matching, by: presence(left, matching, on: grid), keepsPresent: false)
        case .and:
            return filtered(left, matching, by: presence(right, matching, on: grid), keepsPresent: true)
        default:
            return filtered(left, matching, by: presence(right, matching, on: grid), keepsPresent: false)
        }
    }

    /// At which steps each signature has a series.
    private func presence(
        _ series: [StepSeries], _ matching: VectorMatching, on grid: StepGrid
    ) -> [LabelSet: [Bool]] {
        var presence: [LabelSet: [Bool]] = [:]
        for item in series {
            let key = signature(item.labels, matching)
            var steps = presence[key] ?? [Bool](repeating: false, count: grid.count)
            for (step, value) in item.values.enumerated() where !StepSeries.isAbsent(value) { steps[step] = true }
            presence[key] = steps
        }
        return presence
    }

    private func filtered(
        _ series: [StepSeries], _ matching: VectorMatching, by presence: [LabelSet: [Bool]], keepsPresent: Bool
    ) -> [StepSeries] {
        series.compactMap { item in
            let steps = presence[signature(item.labels, matching)]
            var item = item
            for step in item.values.indices where (steps?[step] ?? false) != keepsPresent {
                item.values[step] = StepSeries.absent
            }
            return item.isEmpty ? nil : item
        }
    }

    // MARK: - Arithmetic and comparison

    /// Matches the series of two vectors and applies the operator, step by step.
    private func matched(
        _ left: [StepSeries], _ right: [StepSeries], _ binary: Binary, on grid: StepGrid
    ) throws(QueryError) -> [StepSeries] {
        let matching = binary.matching ?? VectorMatching()
        // With group_right the right side is the one with several series.
        let isSwapped = matching.cardinality == .oneToMany
        let (many, one) = isSwapped ? (right, left) : (left, right)
        var match = VectorMatch(binary: binary, matching: matching, isSwapped: isSwapped, stepCount: grid.count)
        var places: [LabelSet: Int] = [:]
        var groups: [(many: [Int], one: [Int])] = []
        func group(_ key: LabelSet) -> Int {
            if let place = places[key] { return place }
            places[key] = groups.count
            groups.append(([], []))
            return groups.count - 1
        }
        for (index, item) in many.enumerated() { groups[group(signature(item.labels, matching))].many.append(index) }
        for (index, item) in one.enumerated() { groups[group(signature(item.labels, matching))].one.append(index) }
        try context.check(cells: many.count * grid.count)
        let populated = Self.populated(left, right, on: grid, fills: match.fills)
        for key in places.keys.sorted() {
            guard let place = places[key] else { continue }
            try context.check()
            try match.join(
                groups[place].many.map { many[$0] }, groups[place].one.map { one[$0] }, key, populated: populated)
        }
        return match.series
    }

    /// At which steps anything can match: where one side has nothing at all, not even its duplicates are an error.
    private static func populated(
        _ left: [StepSeries], _ right: [StepSeries], on grid: StepGrid, fills: Bool
    ) -> [Bool] {
        (0..<grid.count).map { step in
            fills
                || (left.contains { !StepSeries.isAbsent($0.values[step]) }
                    && right.contains { !StepSeries.isAbsent($0.values[step]) })
        }
    }
}
