import VigilInterface
import VigilModel
import VigilServices

/// The pages on which rules are made and changed.
enum RulePages {
    static let list = PageDeclaration(
        "/rules", template: "rules", permission: Permission("rule", "read"), title: { _ in "Rules" },
        sources: [
            .init("rules", "/api/rules?limit=100", passing: ["cursor"]),
            .init("sites", "/api/sites?limit=200", optional: true),
        ], complete: { values, _, _ in choose(of: nil, &values) })

    static let single = PageDeclaration(
        "/rules/{rule}", template: "rule", permission: Permission("rule", "read"),
        title: { $0["rule"]?["rule"]?["name"]?.text ?? "Rule" },
        sources: [
            .init("rule", "/api/rules/{rule}"),
            .init("alerts", "/api/alerts?limit=20&rule={rule}", optional: true),
            .init("sites", "/api/sites?limit=200", optional: true),
        ], complete: { values, _, _ in choose(of: values["rule"], &values) })

    private static let conditions = ["above", "below", "between", "outside", "state", "missing"]

    /// What the fields offer, with what the rule says chosen.
    private static func choose(of view: JSONValue?, _ values: inout [String: JSONValue]) {
        let rule = view?["rule"]
        var form = rule?.members ?? [:]
        form["statesText"] = joined(rule?["states"])
        form["devicesText"] = joined(rule?["scope"]?["devices"])
        values["form"] = .object(form)
        values["ruleID"] = view?["id"]
        values["kept"] = .string(kept(of: form))
        values["conditions"] = options(conditions, chosen: rule?["condition"]?.text ?? "above")
        values["severities"] = options(Severity.allCases.map(\.rawValue), chosen: rule?["severity"]?.text ?? "medium")
        let site = rule?["scope"]?["site"]
        values["siteChoices"] = .array(
            (values["sites"]?["items"]?.elements ?? []).map { item in
                var members = item.members ?? [:]
                members["isChosen"] = .bool(site != nil && (item["id"] == site || item["code"] == site))
                return .object(members)
            })
    }

    /// The members that the form has no field for.
    private static func kept(of form: [String: JSONValue]) -> String {
        let fields: Set<String> = [
            "name", "condition", "metric", "threshold", "low", "high", "states", "missingSeconds", "unit",
            "holdSeconds", "severity", "enabled", "statesText", "devicesText",
        ]
        var kept = form.filter { !fields.contains($0.key) }
        if var scope = kept["scope"]?.members {
            scope["devices"] = nil
            scope["site"] = nil
            kept["scope"] = .object(scope)
        }
        return JSONValue.object(kept).canonicalText
    }

    private static func joined(_ list: JSONValue?) -> JSONValue {
        .string((list?.elements ?? []).compactMap(\.text).joined(separator: ", "))
    }

    private static func options(_ names: [String], chosen: String) -> JSONValue {
        .array(names.map { .object(["name": .string($0), "isChosen": .bool($0 == chosen)]) })
    }
}
