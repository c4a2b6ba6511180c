import PromQL
import VigilModel

extension Evaluator {
    func aggregate(_ aggregation: Aggregation, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let parameter: [Double]
        if let expression = aggregation.parameter, aggregation.operation != .countValues {
            parameter = try scalar(expression, on: grid)
            try check(parameter, of: aggregation, expression)
        } else {
            parameter = []
        }
        let series = try vector(aggregation.expression, on: grid)
        let groups = grouped(series, aggregation)
        switch aggregation.operation {
        case .topK, .bottomK, .limitK, .limitRatio:
            return try chosen(groups, aggregation.operation, parameter, on: grid)
        case .countValues:
            guard let expression = aggregation.parameter else { throw mistake }
            return try countedValues(groups, label: try string(expression), on: grid)
        default:
            break
        }
        var result: [StepSeries] = []
        for group in groups {
            try context.check()
            var values = [Double](repeating: StepSeries.absent, count: grid.count)
            var present: [Double] = []
            for step in 0..<grid.count {
                present.removeAll(keepingCapacity: true)
                for item in group.members where !StepSeries.isAbsent(item.values[step]) {
                    present.append(item.values[step])
                }
                guard !present.isEmpty else { continue }
                values[step] = Self.value(aggregation.operation, present, parameter.isEmpty ? 0 : parameter[step])
            }
            let item = StepSeries(labels: group.labels, dropsName: group.dropsName, values: values)
            if !item.isEmpty { result.append(item) }
        }
        return result
    }

    private struct Group {
        let labels: LabelSet
        var dropsName: Bool
        var members: [StepSeries]
    }

    private func grouped(_ series: [StepSeries], _ aggregation: Aggregation) -> [Group] {
        if series.isEmpty { return [] }
        if !aggregation.isWithout, aggregation.labels.isEmpty {
            return [Group(labels: .empty, dropsName: series.contains(where: \.dropsName), members: series)]
        }
        let names = Set(aggregation.labels)
        let dropped = names.union([LabelSet.metricName])
        var places: [LabelSet: Int] = [:]
        var groups: [Group] = []
        for item in series {
            let labels = aggregation.isWithout ? item.labels.removing(dropped) : item.labels.keeping(names)
            if let place = places[labels] {
                groups[place].members.append(item)
                groups[place].dropsName = groups[place].dropsName || item.dropsName
            } else {
                places[labels] = groups.count
                groups.append(Group(labels: labels, dropsName: item.dropsName, members: [item]))
            }
        }
        return groups
    }

    private func check(
        _ parameter: [Double], of aggregation: Aggregation, _ expression: Expression
    ) throws(QueryError) {
        switch aggregation.operation {
        case .topK, .bottomK, .limitK:
            for value in parameter {
                if value.isNaN { throw QueryError(.execution, "Parameter value is NaN") }
                if value <= -9.3e18 { throw QueryError(.execution, "Scalar value \(value) underflows int64") }
                if value >= 9.3e18 { throw QueryError(.execution, "Scalar value \(value) overflows int64") }
            }
        case .limitRatio:
            for value in parameter {
                if value.isNaN { throw QueryError(.execution, "Ratio value is NaN") }
                if abs(value) > 1 {
                    context.warn(
                        "ratio value should be between -1 and 1, got \(NumberText.of(value)), capping to \(value > 0 ? 1 : -1)",
                        at: expression)
                }
            }
        case .quantile: warnAboutQuantile(parameter, at: expression)
        default: break
        }
    }

    func warnAboutQuantile(_ values: [Double], at expression: Expression) {
        for value in values where value.isNaN || value < 0 || value > 1 {
            context.warn("quantile value should be between 0 and 1, got \(NumberText.of(value))", at: expression)
        }
    }

    private static func value(_ operation: Aggregation.Operator, _ values: [Double], _ parameter: Double) -> Double {
        switch operation {
        case .sum: Statistics.sum(values)
        case .average: Statistics.average(values)
        case .minimum: Statistics.minimum(values)
        case .maximum: Statistics.maximum(values)
        case .count: Double(values.count)
        case .deviation: Statistics.variance(values).squareRoot()
        case .variance: Statistics.variance(values)
        case .quantile: Statistics.quantile(parameter, values)
        default: 1
        }
    }

    // MARK: - Choosing series

    private func chosen(
        _ groups: [Group], _ operation: Aggregation.Operator, _ parameter: [Double], on grid: StepGrid
    ) throws(QueryError) -> [StepSeries] {
        var result: [StepSeries] = []
        for group in groups {
            var kept = group.members.map { item in
                var item = item
                item.values = [Double](repeating: StepSeries.absent, count: grid.count)
                return item
            }
            var order = Array(group.members.indices)
            for step in 0..<grid.count {
                try context.check()
                let present = group.members.indices.filter { !StepSeries.isAbsent(group.members[$0].values[step]) }
                let picked = Self.pick(present, operation, parameter[step], group.members, step)
                for index in picked { kept[index].values[step] = group.members[index].values[step] }
                if grid.count == 1 { order = picked }
            }
            result += order.map { kept[$0] }.filter { !$0.isEmpty }
        }
        return result
    }

    private static func pick(
        _ present: [Int], _ operation: Aggregation.Operator, _ parameter: Double, _ members: [StepSeries], _ step: Int
    ) -> [Int] {
        if operation == .limitRatio {
            let ratio = max(-1, min(1, parameter))
            return present.filter { members[$0].labels.isChosen(byRatio: ratio) }
        }
        let count = Int(max(0, min(parameter, Double(present.count))))
        guard count > 0 else { return [] }
        if operation == .limitK { return Array(present.prefix(count)) }
        let isTop = operation == .topK
        // NaN goes last in either order.
        return Array(
            present.sorted { left, right in
                let (a, b) = (members[left].values[step], members[right].values[step])
                if a.isNaN || b.isNaN { return !a.isNaN || (b.isNaN && left < right) }
                return a == b ? left < right : isTop ? a > b : a < b
            }.prefix(count))
    }

    private func countedValues(_ groups: [Group], label: String, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        guard !label.isEmpty, !label.contains("\\x") else {
            throw QueryError(.execution, "invalid label name \"\(label)\"")
        }
        var result: [StepSeries] = []
        var places: [LabelSet: Int] = [:]
        for group in groups {
            for step in 0..<grid.count {
                try context.check()
                for item in group.members where !StepSeries.isAbsent(item.values[step]) {
                    var labels = group.labels
                    labels.set(label, to: NumberText.of(item.values[step]))
                    if places[labels] == nil {
                        places[labels] = result.count
                        result.append(
                            StepSeries(
                                labels: labels, dropsName: group.dropsName && label != LabelSet.metricName,
                                values: [Double](repeating: StepSeries.absent, count: grid.count)))
                    }
                    guard let place = places[labels] else { continue }
                    let count = result[place].values[step]
                    result[place].values[step] = StepSeries.isAbsent(count) ? 1 : count + 1
                }
            }
        }
        return result
    }
}

extension LabelSet {
    /// Whether `limit_ratio` takes this series: by a hash of its labels, so that it is always the same ones.
    ///
    /// A negative ratio takes exactly those that `1 + ratio` leaves.
    func isChosen(byRatio ratio: Double) -> Bool {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for pair in pairs {
            for byte in Array(pair.name.utf8) + [0xFF] + Array(pair.value.utf8) + [0xFF] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        hash ^= hash >> 32
        hash &*= 0x9E37_79B9_7F4A_7C15
        let share = Double(hash >> 11) / Double(UInt64(1) << 53)
        return ratio >= 0 ? share < ratio : share >= 1 + ratio
    }
}
