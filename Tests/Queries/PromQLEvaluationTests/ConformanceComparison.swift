import Foundation
import PatternKit
import PromQLEvaluation
import VigilModel

/// Holds a result against what a script expects.
struct ConformanceComparison {
    let evaluation: ConformanceScript.Evaluation
    let result: QueryResult

    init(_ evaluation: ConformanceScript.Evaluation, _ result: QueryResult) {
        self.evaluation = evaluation
        self.result = result
    }

    static func matches(_ expectation: ConformanceScript.Expectation, _ message: String) -> Bool {
        switch expectation.match {
        case "msg:":
            let wanted = expectation.text.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
            return message == expectation.text || message == wanted
        case "regex:": return Pattern(expectation.text)?.matchesPart(of: message) ?? false
        default: return true
        }
    }

    /// What differs, or `nil`.
    var difference: String? {
        for (kind, messages) in [("warn", result.warnings), ("info", result.infos)] {
            let wanted = evaluation.expectations.filter { $0.kind == kind }
            for expectation in wanted where !messages.contains(where: { Self.matches(expectation, $0) }) {
                return "no \(kind) \(expectation.text), but \(messages)"
            }
            if evaluation.expectations.contains(where: { $0.kind == "no_\(kind)" }), !messages.isEmpty {
                return "\(kind): \(messages)"
            }
        }
        switch result.value {
        case .scalar(let point):
            guard let line = evaluation.results.first else { return "no expectation for \(point.value)" }
            return Self.isNear(point.value, ConformanceScript.number(line)) ? nil : "got \(point.value)"
        case .string(_, let text):
            let wanted = evaluation.expectations.first { $0.kind == "string" }?.text.dropFirst().dropLast()
            return wanted.map(String.init) == text ? nil : "got \(text)"
        case .vector(let items):
            return compare(items.map { ($0.labels, [(0.0, $0.point.value)]) })
        case .matrix(let series):
            return compare(
                series.map { series in
                    (series.labels, series.points.map { ($0.time.secondsSince1970, $0.value) })
                })
        }
    }

    private func compare(_ got: [(labels: LabelSet, points: [(Double, Double)])]) -> String? {
        var (start, step) = (evaluation.start, evaluation.step)
        if let range = evaluation.expectations.first(where: { $0.kind == "range" }) {
            let words = range.text.split(separator: " ").map(String.init)
            if words.count >= 7 {
                start = ConformanceScript.seconds(words[2])
                step = ConformanceScript.seconds(words[6])
            }
        }
        var wanted: [(LabelSet, [(Double, Double)])] = []
        for line in evaluation.results {
            guard let (identity, values) = ConformanceScript.series(line) else { return "cannot read \(line)" }
            let points = values.enumerated().compactMap { index, value in
                value.map { (start + Double(index) * step, $0) }
            }
            if !points.isEmpty { wanted.append((LabelSet(metric: identity.metric, labels: identity.labels), points)) }
        }
        guard got.count == wanted.count else {
            return "got \(got.count) series \(got.prefix(4)), expected \(wanted.count)"
        }
        let isOrdered = evaluation.expectations.contains { $0.kind == "ordered" }
        for (index, (labels, points)) in wanted.enumerated() {
            guard let place = got.firstIndex(where: { $0.labels == labels }) else {
                return "no series \(labels.pairs), but \(got.map(\.labels.pairs))"
            }
            if isOrdered, place != index { return "series \(labels.pairs) is number \(place)" }
            let isInstant = evaluation.end == nil && step == 0
            guard got[place].points.count == points.count,
                zip(got[place].points, points).allSatisfy({
                    (isInstant || abs($0.0 - $1.0) < 1e-6) && Self.isNear($0.1, $1.1)
                })
            else { return "\(labels.pairs): got \(got[place].points.prefix(12)), expected \(points.prefix(12))" }
        }
        return nil
    }

    private static func isNear(_ left: Double, _ right: Double) -> Bool {
        if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
        if left == right { return true }
        guard left.isFinite, right.isFinite else { return false }
        let difference = abs(left - right)
        return difference < 1e-6 * min(abs(left) + abs(right), .greatestFiniteMagnitude)
            || (abs(left) < 1e-300 && difference < 1e-306)
    }
}
