import Foundation
import PromQL
import VigilModel

/// A file of Prometheus' own language tests, cut into commands.
struct ConformanceScript {
    enum Command {
        case clear
        case load(step: Double, series: [String], withNativeHistograms: Bool)
        case evaluation(Evaluation)
    }

    struct Evaluation {
        let line: Int
        let query: String
        /// The moment, or the start of a range.
        let start: Double
        let end: Double?
        let step: Double
        var expectations: [Expectation] = []
        /// Lines with series and their values, in the order of the file.
        var results: [String] = []
    }

    struct Expectation {
        let kind: String
        let match: String
        let text: String
    }

    let commands: [Command]

    init(_ text: String) {
        var commands: [Command] = []
        for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.trimmingCharacters(in: .whitespaces)
            let isIndented = raw.first == " " || raw.first == "\t"
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            if line == "clear" {
                commands.append(.clear)
            } else if line.hasPrefix("load") && !isIndented {
                let words = line.split(separator: " ")
                commands.append(
                    .load(
                        step: Self.seconds(String(words[1])), series: [],
                        withNativeHistograms: words[0] == "load_with_nhcb"))
            } else if line.hasPrefix("eval") && !line.hasPrefix("eval_info"),
                let evaluation = Self.evaluation(line, number + 1)
            {
                commands.append(.evaluation(evaluation))
            } else {
                Self.add(line, to: &commands)
            }
        }
        self.commands = commands
    }

    private static func add(_ line: String, to commands: inout [Command]) {
        guard let last = commands.last else { return }
        switch last {
        case .load(let step, let series, let native):
            commands[commands.count - 1] = .load(step: step, series: series + [line], withNativeHistograms: native)
        case .evaluation(var evaluation):
            if line.hasPrefix("expect ") {
                let rest = line.dropFirst(7)
                let kind = rest.prefix { $0 != " " }
                let argument = rest.dropFirst(kind.count).trimmingCharacters(in: .whitespaces)
                let match = ["msg:", "regex:"].first(where: argument.hasPrefix) ?? ""
                let text = argument.dropFirst(match.count).trimmingCharacters(in: .whitespaces)
                evaluation.expectations.append(Expectation(kind: String(kind), match: match, text: text))
            } else {
                evaluation.results.append(line)
            }
            commands[commands.count - 1] = .evaluation(evaluation)
        case .clear: break
        }
    }

    private static func evaluation(_ line: String, _ number: Int) -> Evaluation? {
        var words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        var expectations: [Expectation] = []
        let command = words.removeFirst()
        if command == "eval_fail" { expectations.append(Expectation(kind: "fail", match: "", text: "")) }
        if command == "eval_ordered" { expectations.append(Expectation(kind: "ordered", match: "", text: "")) }
        func rest(after count: Int) -> String {
            var text = line[...]
            for _ in 0...count {
                text = text.drop { $0 == " " || $0 == "\t" }
                text = text.drop { $0 != " " && $0 != "\t" }
            }
            return text.trimmingCharacters(in: .whitespaces)
        }
        if words.first == "instant", words.count > 3 {
            return Evaluation(
                line: number, query: rest(after: 3), start: seconds(words[2]), end: nil, step: 0,
                expectations: expectations)
        }
        guard words.first == "range", words.count > 7 else { return nil }
        return Evaluation(
            line: number, query: rest(after: 7), start: seconds(words[2]), end: seconds(words[4]),
            step: seconds(words[6]), expectations: expectations)
    }

    /// A duration or a number of seconds, by the parser of the language.
    static func seconds(_ text: String) -> Double {
        guard let expression = try? Parser.parse(text) else { return .nan }
        switch expression.kind {
        case .number(let value): return value
        case .negation(let inner):
            if case .number(let value) = inner.kind { return -value }
            return .nan
        default: return .nan
        }
    }

    // MARK: - Series

    /// The identity and the values of a line such as `a{b="c"} 1+2x3 _ stale`; `nil` when it holds native histograms.
    static func series(_ line: String) -> (identity: SeriesIdentity, values: [Double?])? {
        guard !line.contains("{{") else { return nil }
        var depth = false
        var quoted = false
        var end = line.endIndex
        for index in line.indices {
            let character = line[index]
            if character == "\"" { quoted.toggle() }
            if quoted { continue }
            if character == "{" { depth = true }
            if character == "}" { depth = false }
            if !depth, character == " " || character == "\t" {
                end = index
                break
            }
        }
        let name = String(line[..<end])
        guard let identity = identity(name) else { return nil }
        var values: [Double?] = []
        for word in line[end...].split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            append(String(word), to: &values)
        }
        return (identity, values)
    }

    private static func identity(_ text: String) -> SeriesIdentity? {
        if text == "{}" { return SeriesIdentity(device: nil, metric: "", labels: .none) }
        guard let brace = text.firstIndex(of: "{") else {
            return SeriesIdentity(device: nil, metric: text, labels: .none)
        }
        var metric = String(text[..<brace])
        var labels: [String: String] = [:]
        let body = text[brace...].dropFirst().dropLast()
        if !body.isEmpty {
            guard let matchers = try? Parser.parseSelector("x{" + body + "}").dropLast() else {
                // A selector may not name the metric twice; a result may.
                guard let matchers = try? Parser.parseSelector("{" + body + "}") else { return nil }
                for matcher in matchers { labels[matcher.name] = matcher.value }
                metric = labels.removeValue(forKey: "__name__") ?? metric
                return SeriesIdentity(device: nil, metric: metric, labels: Labels(labels))
            }
            for matcher in matchers { labels[matcher.name] = matcher.value }
        }
        return SeriesIdentity(device: nil, metric: metric, labels: Labels(labels))
    }

    private static func append(_ word: String, to values: inout [Double?]) {
        if word == "_" {
            values.append(nil)
        } else if word.hasPrefix("_x"), let count = Int(word.dropFirst(2)) {
            values += [Double?](repeating: nil, count: count)
        } else if word == "stale" {
            values.append(Double(bitPattern: 0x7FF0_0000_0000_0002))
        } else if let x = word.lastIndex(of: "x"), let count = Int(word[word.index(after: x)...]) {
            let body = word[..<x]
            // The sign of the increment: not the first character, and not an exponent's.
            let sign = body.indices.dropFirst().last { index in
                (body[index] == "+" || body[index] == "-") && !"eE".contains(body[body.index(before: index)])
            }
            guard let sign else {
                values += [Double?](repeating: number(String(body)), count: count + 1)
                return
            }
            let start = number(String(body[..<sign]))
            let increment = number(String(body[sign...]))
            var value = start
            for _ in 0...count {
                values.append(value)
                value += increment
            }
        } else {
            values.append(number(word))
        }
    }

    static func number(_ text: String) -> Double {
        switch text.lowercased() {
        case "inf", "+inf": .infinity
        case "-inf": -.infinity
        case "nan": .nan
        default: Double(text) ?? Double(text.hasPrefix(".") ? "0" + text : text) ?? .nan
        }
    }
}
