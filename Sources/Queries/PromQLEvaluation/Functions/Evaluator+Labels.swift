import PromQL

extension Evaluator {
    func labelReplaced(_ arguments: [Expression], on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let destination = try string(arguments[1])
        let replacement = try string(arguments[2])
        let source = try string(arguments[3])
        let text = try string(arguments[4])
        guard let pattern = context.patterns.compile(text) else {
            throw QueryError(.execution, "invalid regular expression in label_replace(): \(text)")
        }
        guard Self.isLabelName(destination) else {
            throw QueryError(.execution, "invalid destination label name in label_replace(): \(destination)")
        }
        var series = try vector(arguments[0], on: grid)
        for index in series.indices {
            try context.check()
            guard let groups = pattern.groups(series[index].labels[source]) else { continue }
            series[index].labels.set(destination, to: Template.expand(replacement, groups, pattern.names))
            if destination == LabelSet.metricName { series[index].dropsName = false }
        }
        return try Self.merged(series)
    }

    func labelJoined(_ arguments: [Expression], on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let destination = try string(arguments[1])
        let separator = try string(arguments[2])
        var sources: [String] = []
        for argument in arguments.dropFirst(3) {
            let source = try string(argument)
            guard Self.isLabelName(source) else {
                throw QueryError(.execution, "invalid source label name in label_join(): \(source)")
            }
            sources.append(source)
        }
        guard Self.isLabelName(destination) else {
            throw QueryError(.execution, "invalid destination label name in label_join(): \(destination)")
        }
        var series = try vector(arguments[0], on: grid)
        for index in series.indices {
            try context.check()
            let labels = series[index].labels
            series[index].labels.set(destination, to: sources.map { labels[$0] }.joined(separator: separator))
            if destination == LabelSet.metricName { series[index].dropsName = false }
        }
        return try Self.merged(series)
    }

    /// Any text but the empty one; what was no UTF-8 has been made visible by the parser, and is none.
    private static func isLabelName(_ name: String) -> Bool { !name.isEmpty && !name.contains("\\x") }

    // MARK: - Order

    func sorted(_ call: Call, _ expression: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let series = try vector(call.arguments[0], on: grid)
        guard !isIneffective(call, expression), grid.count == 1 else { return series }
        let descends = call.function.name == "sort_desc"
        // NaN goes last in either order; equal values keep theirs.
        return series.enumerated().sorted { left, right in
            let (a, b) = (left.element.values[0], right.element.values[0])
            if a.isNaN || b.isNaN { return !a.isNaN || (b.isNaN && left.offset < right.offset) }
            return a == b ? left.offset < right.offset : descends ? a > b : a < b
        }.map(\.element)
    }

    func sortedByLabel(_ call: Call, _ expression: Expression, on grid: StepGrid) throws(QueryError) -> [StepSeries] {
        let series = try vector(call.arguments[0], on: grid)
        var names: [String] = []
        for argument in call.arguments.dropFirst() { names.append(try string(argument)) }
        guard !isIneffective(call, expression) else { return series }
        let ascending = series.sorted { left, right in
            for name in names where left.labels[name] != right.labels[name] {
                return NaturalOrder.precedes(left.labels[name], right.labels[name])
            }
            return left.labels < right.labels
        }
        return call.function.name == "sort_by_label_desc" ? ascending.reversed() : ascending
    }

    private func isIneffective(_ call: Call, _ expression: Expression) -> Bool {
        guard context.isRange else { return false }
        context.warn(
            "sort is ineffective for range queries since results are always ordered by labels",
            at: expression)
        return true
    }
}

/// The order in which numbers inside texts count by their value: `cpu2` comes before `cpu10`.
enum NaturalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let (a, b) = (chunks(left), chunks(right))
        for (x, y) in zip(a, b) where x != y {
            let (xNumber, yNumber) = (isNumber(x), isNumber(y))
            if xNumber, yNumber {
                let (xDigits, yDigits) = (x.drop { $0 == 48 }, y.drop { $0 == 48 })
                if xDigits.count != yDigits.count { return xDigits.count < yDigits.count }
                if !xDigits.elementsEqual(yDigits) { return xDigits.lexicographicallyPrecedes(yDigits) }
                return x.count < y.count
            }
            return x.lexicographicallyPrecedes(y)
        }
        return a.count < b.count
    }

    private static func isNumber(_ chunk: [UInt8]) -> Bool { chunk.first.map { $0 >= 48 && $0 <= 57 } ?? false }

    private static func chunks(_ text: String) -> [[UInt8]] {
        var chunks: [[UInt8]] = []
        for byte in text.utf8 {
            if let last = chunks.last, isNumber(last) == isNumber([byte]) {
                chunks[chunks.count - 1].append(byte)
            } else {
                chunks.append([byte])
            }
        }
        return chunks
    }
}

/// Replacement texts with references to groups: `$1`, `${1}`, `$name`, `${name}`; `$$` is a dollar sign.
enum Template {
    static func expand(_ template: String, _ groups: [String?], _ names: [String: Int]) -> String {
        var result = ""
        var rest = template[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
                continue
            }
            let isBraced = rest.first == "{"
            let body = isBraced ? rest.dropFirst() : rest
            let name = body.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            let after = body[name.endIndex...]
            guard !name.isEmpty, !isBraced || after.first == "}" else {
                result += "$"
                continue
            }
            rest = isBraced ? after.dropFirst() : after
            let number = Int(name) ?? names[String(name)]
            if let number, groups.indices.contains(number) { result += groups[number] ?? "" }
        }
        return result + rest
    }
}
