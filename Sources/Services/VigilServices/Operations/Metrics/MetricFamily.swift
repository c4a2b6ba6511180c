/// A metric with its values, as Prometheus' text form writes them.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    package typealias Label = (name: String, value: String)

    package let name: String
    package let help: String
    package let kind: Kind
    private var lines: [String] = []

    package init(_ name: String, _ help: String, _ kind: Kind) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    /// A family of one value without labels.
    package init(_ name: String, _ help: String, _ kind: Kind, value: Double) {
        self.init(name, help, kind)
        add(value)
    }

    /// Adds a value.
    ///
    /// - Parameters:
    ///   - suffix: What follows the family's name: `_bucket`, `_sum`, `_count` of histograms.
    package mutating func add(_ value: Double, suffix: String = "", _ labels: [Label] = []) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        lines.append(name + suffix + (pairs.isEmpty ? "" : "{\(pairs)}") + " " + Self.number(value))
    }

    /// The family in the text form, version 0.0.4.
    package var text: String {
        "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n" + lines.map { $0 + "\n" }.joined()
    }

    private static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
