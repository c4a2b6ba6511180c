import VigilModel

/// Says in words that templates can test what the API says by a value: templates cannot compare.
enum Enrichment {
    private static let foreign: Set<String> = [
        "value", "values", "units", "sample", "samples", "metadata", "object", "labels",
    ]

    static func enriched(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let values): .array(values.map(enriched))
        case .object(let members):
            // What a device or a person named stays as it is: a value called "state" is no state of ours.
            .object(
                added(
                    to: members.reduce(into: [:]) { result, member in
                        result[member.key] = Self.foreign.contains(member.key) ? member.value : enriched(member.value)
                    }))
        default: value
        }
    }

    private static func added(to members: [String: JSONValue]) -> [String: JSONValue] {
        var members = members.merging(words(of: members)) { $1 }
        if let closure = members["closure"]?.text {
            members["isOpen"] = .bool(closure == "open")
            members["isActive"] = .bool(members["condition"]?.text == "active")
            if members["recoveredAt"] == nil { members["recoveredAt"] = .bool(false) }
        }
        if let value = members["value"], members["metric"] != nil { members["isNumber"] = .bool(value.double != nil) }
        // The values of a reading, one after the other.
        if let values = members["values"]?.members, members["time"] != nil {
            let units = members["units"]?.members ?? [:]
            members["pairs"] = .array(
                values.sorted { $0.key < $1.key }.map { metric, value in
                    .object([
                        "metric": .string(metric), "value": .string(text(of: value)),
                        "unit": units[metric] ?? .string(""),
                        "unitText": .string(Unit.sign(of: units[metric]?.text ?? "")),
                    ])
                })
        }
        if let online = members["online"]?.double, let unknown = members["unknown"]?.double {
            let late = (members["warning"]?.double ?? 0) + (members["offline"]?.double ?? 0)
            members["total"] = .integer(Int64(online + unknown + late))
        }
        if let states = members["byStatus"] {
            let open = (states["open"]?.double ?? 0) + (states["acknowledged"]?.double ?? 0)
            members["openCount"] = .integer(Int64(open))
        }
        if let condition = members["condition"]?.text, members["hold"] != nil || members["holdSeconds"] != nil {
            members["conditionText"] = .string(ruleText(condition, members))
        }
        if let samples = members["samples"]?.elements {
            members["samplesText"] = .string(
                String(samples.prefix(5).map(text(of:)).joined(separator: ", ").prefix(120)))
        }
        if let kinds = members["kinds"]?.elements, kinds.count > 1 {
            let others = kinds.compactMap(\.text).filter { $0 != members["kind"]?.text }
            members["otherKindsText"] = .string(others.joined(separator: ", "))
        }
        if let permissions = members["permissions"]?.elements {
            members["permissionsText"] = .string(permissions.compactMap(\.text).joined(separator: ", "))
        }
        // A step without a note has none: a template would take that of the alert around it.
        if members["action"] != nil, members["time"] != nil, members["note"] == nil { members["note"] = .string("") }
        if members["attempts"] != nil { members["isDead"] = .bool(members["state"]?.text == "dead") }
        if let sample = members["sample"] { members["sampleText"] = .string(String(sample.canonicalText.prefix(120))) }
        return members
    }

    /// What programs call it, as people read it.
    private static func words(of members: [String: JSONValue]) -> [String: JSONValue] {
        var words: [String: JSONValue] = [:]
        for name in ["kind", "state", "action"] {
            guard let text = members[name]?.text else { continue }
            words[name + "Text"] = .string(
                text.replacing("_unack", with: ", not ack").replacing("unack", with: "not ack").replacing(
                    "_", with: " "))
        }
        // Empty where there is none: a template would take that of what is around it.
        if members["metric"] != nil || members["unit"] != nil {
            words["unitText"] = .string(Unit.sign(of: members["unit"]?.text ?? ""))
        }
        if let skew = members["clockSkewSeconds"]?.double, skew.magnitude >= 120 {
            words["clockText"] = .string("its clock is \(span(skew.magnitude)) \(skew > 0 ? "behind" : "ahead")")
        }
        if let agent = members["userAgent"]?.text { words["userAgentText"] = .string(UserAgent.text(agent)) }
        return words
    }

    /// Seconds in the largest unit that leaves a whole number of them.
    private static func span(_ seconds: Double) -> String {
        seconds >= 7200 ? "\(Int(seconds / 3600)) h" : "\(Int(seconds / 60)) min"
    }

    /// A rule's condition in one line: `pressure above 20 bar for 30 s`.
    private static func ruleText(_ condition: String, _ rule: [String: JSONValue]) -> String {
        func number(_ name: String) -> String? { rule[name].map(text(of:)) }
        var words: [String?] = [rule["metric"]?.text, condition]
        switch condition {
        case "between", "outside": words += [number("low"), "and", number("high")]
        case "state": words.append((rule["states"]?.elements ?? []).compactMap(\.text).joined(separator: ", "))
        case "missing":
            words = ["silent", number("missingSeconds").map { "for \($0) s" } ?? "for longer than expected"]
        default: words.append(number("threshold"))
        }
        if condition != "missing" { words.append(rule["unit"]?.text.map(Unit.sign(of:))) }
        if let hold = rule["holdSeconds"]?.double, hold > 0 { words += ["for", number("holdSeconds"), "s"] }
        return words.compactMap(\.self).joined(separator: " ")
    }

    private static func text(of value: JSONValue) -> String { value.text ?? value.canonicalText }
}
