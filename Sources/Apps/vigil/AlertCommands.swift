import ArgumentParser
import Foundation

/// Looks after alerts: `vigil alerts …`.
struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Alerts.",
        subcommands: [List.self, Acknowledge.self, Resolve.self, Dismiss.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List alerts, newest first.")
        @OptionGroup var options: TenantOptions
        @Flag(help: "Closed ones too.")
        var all = false
        @Option(help: "info, low, medium, high or critical.")
        var severity: String?
        @Option(help: "Only of this device: identifier or code.")
        var device: String?
        @Option(help: "How many at most, up to 500.")
        var limit = 100

        func run() async throws {
            var query = [("limit", String(limit))]
            if !all { query.append(("closure", "open")) }
            if let severity { query.append(("severity", severity)) }
            if let device { query.append(("device", device)) }
            let answer = try await options.call("GET", "/api/alerts", query: query)
            if options.json { return answer.printed() }
            var table = Table("id", "happened", "severity", "status", "device", "title")
            for item in answer.items {
                table.add(
                    item["id"], item["eventTime"], item["severity"], item["status"], item["deviceName"], item["title"])
            }
            table.printed(none: all ? "There are no alerts." : "There are no open alerts.")
        }
    }

    /// What the actions share.
    struct Action: ParsableArguments {
        @OptionGroup var options: TenantOptions
        @Argument(help: "The alert's identifier, as vigil alerts list says it.")
        var alert: String
        @Option(help: "Why, for those who read it later.")
        var note: String?

        func send(_ action: String) async throws {
            var body: [String: Any] = [:]
            body["note"] = note
            let answer = try await options.call("POST", "/api/alerts/\(segment(alert))/\(action)", body: body)
            if options.json { return answer.printed() }
            print("\(answer.members["title"] ?? alert): \(answer.members["status"] ?? action)")
        }
    }

    struct Acknowledge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ack", abstract: "Acknowledge an alert; twice changes nothing.")
        @OptionGroup var action: Action

        func run() async throws { try await action.send("acknowledge") }
    }

    struct Resolve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close an alert.")
        @OptionGroup var action: Action

        func run() async throws { try await action.send("resolve") }
    }

    struct Dismiss: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close an alert as wrong.")
        @OptionGroup var action: Action

        func run() async throws { try await action.send("dismiss") }
    }
}

/// Looks after rules: `vigil rules …`.
struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Rules, which raise alerts.", subcommands: [List.self, Add.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List rules, by name.")
        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("GET", "/api/rules", query: [("limit", "500")])
            if options.json { return answer.printed() }
            var table = Table("id", "name", "metric", "condition", "limit", "hold", "severity", "enabled")
            for item in answer.items {
                let rule = item["rule"] as? [String: Any] ?? item
                let bounds = [rule["threshold"], rule["low"], rule["high"]].compactMap { $0 }.map { "\($0)" }
                let hold = rule["holdSeconds"].map { "\($0) s" }
                table.add(
                    item["id"], rule["name"], rule["metric"], rule["condition"], bounds.joined(separator: " to "), hold,
                    rule["severity"], (rule["enabled"] as? Bool ?? true) ? "yes" : "no")
            }
            table.printed(none: "There are no rules. Add one with vigil rules add --name NAME --metric M --above N.")
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a rule over one metric.")
        @OptionGroup var options: TenantOptions
        @Option(help: "What people call it.")
        var name: String
        @Option(help: "The metric it watches; not with --missing.")
        var metric: String?
        @Option(parsing: .unconditional, help: "Raise above this value.")
        var above: Double?
        @Option(parsing: .unconditional, help: "Raise below this value.")
        var below: Double?
        @Option(parsing: .unconditional, help: "Raise between two values: LOW:HIGH.")
        var between: String?
        @Option(parsing: .unconditional, help: "Raise outside of two values: LOW:HIGH.")
        var outside: String?
        @Option(help: "Raise when a text or a yes or no is this; may come more than once.")
        var state: [String] = []
        @Flag(help: "Raise when no reading comes.")
        var missing = false
        @Option(help: "The unit of the value.")
        var unit: String?
        @Option(help: "For how many seconds it must hold.")
        var hold: Double?
        @Option(help: "For how many seconds after an alert no other is raised.")
        var cooldown: Double?
        @Option(help: "intrusion, environmental, malfunction, system or custom.")
        var type: String?
        @Option(help: "info, low, medium, high or critical.")
        var severity = "medium"
        @Option(help: "Only for this device: identifier or code; may come more than once.")
        var device: [String] = []

        func validate() throws {
            guard conditions.count == 1 else {
                throw ValidationError(
                    "Say one of --above N, --below N, --between LOW:HIGH, --outside LOW:HIGH, --state S and --missing.")
            }
            guard missing || metric != nil else { throw ValidationError("Say the metric with --metric.") }
            for text in [between, outside] where text != nil && Self.bounds(text) == nil {
                throw ValidationError("Two numbers with a colon between were expected, such as 2:8.")
            }
        }

        func run() async throws {
            var body: [String: Any] = ["name": name, "severity": severity, "condition": conditions.first ?? "missing"]
            body["metric"] = metric
            body["threshold"] = above ?? below
            if let bounds = Self.bounds(between ?? outside) { (body["low"], body["high"]) = bounds }
            if !state.isEmpty { body["states"] = state }
            body["unit"] = unit
            body["holdSeconds"] = hold
            body["cooldownSeconds"] = cooldown
            body["type"] = type
            if !device.isEmpty { body["scope"] = ["devices": device] }
            let answer = try await options.call("POST", "/api/rules", body: body)
            if options.json { return answer.printed() }
            print("Rule \(name) watches \(metric ?? "silence"). Its identifier is \(answer.members["id"] ?? "?").")
        }

        private var conditions: [String] {
            [
                ("above", above != nil), ("below", below != nil), ("between", between != nil),
                ("outside", outside != nil), ("state", !state.isEmpty), ("missing", missing),
            ].filter(\.1).map(\.0)
        }

        private static func bounds(_ text: String?) -> (Double, Double)? {
            let numbers = (text ?? "").split(separator: ":").map { Double($0) }
            guard numbers.count == 2, let low = numbers[0], let high = numbers[1] else { return nil }
            return (low, high)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a rule; its alerts stay.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "The rule's identifier, as vigil rules list says it.")
        var rule: String

        func run() async throws {
            _ = try await options.call("DELETE", "/api/rules/\(segment(rule))")
            if options.json { return try Say.json(["deleted": rule]) }
            print("The rule is gone.")
        }
    }
}
