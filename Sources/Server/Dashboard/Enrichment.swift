import VigilModel

/// Says in words that templates can test what the API says by a value: templates cannot compare.
enum Enrichment {
    static func enriched(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let values): .array(values.map(enriched))
        case .object(let members): .object(added(to: members.mapValues(enriched)))
        default: value
        }
    }

    private static func added(to members: [String: JSONValue]) -> [String: JSONValue] {
        var members = members
        if let closure = members["closure"]?.text { members["isOpen"] = .bool(closure == "open") }
        if let value = members["value"], members["metric"] != nil { members["isNumber"] = .bool(value.double != nil) }
        // The values of a reading, one after the other.
        if let values = members["values"]?.members, members["time"] != nil {
            let units = members["units"]?.members ?? [:]
            members["pairs"] = .array(
                values.sorted { $0.key < $1.key }.map { metric, value in
                    .object([
                        "metric": .string(metric), "value": .string(text(of: value)), "unit": units[metric] ?? .null,
                    ])
                })
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
        if let permissions = members["permissions"]?.elements {
            members["permissionsText"] = .string(permissions.compactMap(\.text).joined(separator: ", "))
        }
        // A step without a note has none: a template would take that of the alert around it.
        if members["action"] != nil, members["time"] != nil, members["note"] == nil { members["note"] = .string("") }
        if members["attempts"] != nil { members["isDead"] = .bool(members["state"]?.text == "dead") }
        if let sample = members["sample"] { members["sampleText"] = .string(String(sample.canonicalText.prefix(120))) }
        return members
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
        if condition != "missing" { words.append(rule["unit"]?.text) }
        if let hold = rule["holdSeconds"]?.double, hold > 0 { words += ["for", number("holdSeconds"), "s"] }
        return words.compactMap(\.self).joined(separator: " ")
    }

    private static func text(of value: JSONValue) -> String { value.text ?? value.canonicalText }
}
