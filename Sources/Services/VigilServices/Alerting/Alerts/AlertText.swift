import VigilModel

/// Fills the templates of titles, messages and dedup keys.
struct AlertText {
    /// What a template may name between braces.
    static let placeholders: Set<String> = [
        "deviceName", "deviceId", "deviceCode", "ruleName", "metric", "metricName", "value", "unit", "threshold",
        "condition", "severity", "time", "since", "subject", "site", "location",
    ]

    let values: [String: String]

    init(outcome: ConditionOutcome, value: ReadingValue?, time: Timestamp, since: Timestamp) {
        let definition = outcome.rule.definition
        let device = outcome.device
        values = [
            "deviceName": device?.name ?? outcome.key.subject, "deviceId": device?.id.description ?? "",
            "deviceCode": device?.code ?? "", "ruleName": definition.name, "metric": definition.metric ?? "",
            "metricName": definition.metric ?? "", "value": value.map(Self.text) ?? "",
            "unit": outcome.unit.map(Unit.sign(of:)) ?? "",
            "threshold": Self.threshold(definition.test), "condition": definition.test.name,
            "severity": definition.severity.rawValue, "time": Self.moment(time), "since": Self.moment(since),
            "subject": outcome.key.subject, "site": device?.site?.description ?? "",
            "location": device?.location?.description ?? "",
        ]
    }

    /// Of a device that has fallen silent.
    init(silent device: DeviceEntry, rule: RuleDefinition, since: Timestamp, time: Timestamp) {
        values = [
            "deviceName": device.name, "deviceId": device.id.description, "deviceCode": device.code,
            "ruleName": rule.name, "metric": "", "metricName": "", "value": "", "unit": "",
            "threshold": Self.threshold(rule.test), "condition": rule.test.name, "severity": rule.severity.rawValue,
            "time": Self.moment(time), "since": Self.moment(since), "subject": device.id.description,
            "site": device.site?.description ?? "", "location": device.location?.description ?? "",
        ]
    }

    func fill(_ template: String, limit: Int) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            guard let close = rest[open...].firstIndex(of: "}") else { break }
            let name = String(rest[rest.index(after: open)..<close])
            let value = values[name] ?? "{\(name)}"
            // An absent unit leaves no gap behind it.
            if value.isEmpty, result.hasSuffix(" ") { result.removeLast() }
            result += value
            rest = rest[rest.index(after: close)...]
        }
        result += rest
        return String(result.prefix(limit))
    }

    /// The names between braces that a template must not have.
    static func unknownPlaceholders(in template: String) -> [String] {
        var unknown: [String] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: open)..<close])
            if !placeholders.contains(name) { unknown.append(name) }
            rest = rest[rest.index(after: close)...]
        }
        return unknown
    }

    static func defaultMessage(_ definition: RuleDefinition) -> String {
        switch definition.test {
        case .missing: "Nothing was heard of {deviceName} since {since}."
        case .state: "{metric} of {deviceName} is {value}."
        case .above, .below, .between, .outside:
            "{metric} of {deviceName} is {value} {unit}, {condition} {threshold} {unit} since {since}."
        }
    }

    private static func text(_ value: ReadingValue) -> String {
        switch value {
        case .float(let number): Self.number(number)
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .text(let text), .object(let text): String(text.prefix(200))
        }
    }

    /// To the second: nobody reads further.
    private static func moment(_ time: Timestamp) -> String {
        let text = time.description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? String(Int64(rounded)) : "\(rounded)"
    }

    private static func threshold(_ test: RuleTest) -> String {
        switch test {
        case .above(let limit), .below(let limit): number(limit)
        case .between(let low, let high), .outside(let low, let high): "\(number(low)) and \(number(high))"
        case .state(let states): states.joined(separator: ", ")
        case .missing(let span): span.map { "\(number($0.seconds)) s" } ?? ""
        }
    }
}
