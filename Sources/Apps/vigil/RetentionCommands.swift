import ArgumentParser
import Foundation

/// Decides how long things are kept: `vigil retention …`.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "How long readings, reports, the trail and logs are kept.",
        subcommands: [
            List.self, Add.self, Remove.self, Preset.self, Preview.self, Run.self, Archive.self, Attach.self,
            Detach.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the rules, the most specific first.")
        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("GET", "/api/retention/rules")
            if options.json { return answer.printed() }
            RetentionCommand.table(answer.items).printed(
                none: "There are no rules: readings stay for ever. Make one with vigil retention add.")
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a rule.",
            discussion: "A bound is the age up to which a tier holds something: 12h, 7d, 2w, 5y or forever.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "reading, report, audit, chat, ingest, job, journal, outbox or log.")
        var subject: String
        @Option(help: "Only readings of devices of this site: identifier or code.")
        var site: String?
        @Option(help: "Only readings of devices of this profile: identifier or code.")
        var profile: String?
        @Option(help: "Only this metric; * stands for any text.")
        var metric: String?
        @Option(help: "The age up to which it stays where it is.")
        var hot: String?
        @Option(help: "The age up to which it is in the warm folder.")
        var warm: String?
        @Option(help: "The age up to which it is in the archive.")
        var archive: String?
        @Option(help: "The age up to which aggregates by the minute outlive readings that went.")
        var rollupMinute: String?
        @Option(help: "The age up to which aggregates by the hour outlive readings that went.")
        var rollupHour: String?
        @Option(help: "The age up to which aggregates by the day outlive readings that went.")
        var rollupDay: String?
        @Flag(help: "Nothing that the rule selects goes, whatever other rules say.")
        var legalHold = false
        @Option(help: "Why, for those who read it later.")
        var reason: String?

        func run() async throws {
            var body: [String: Any] = ["subject": subject, "legalHold": legalHold]
            body["site"] = site
            body["profile"] = profile
            body["metric"] = metric
            body["hot"] = hot
            body["warm"] = warm
            body["archive"] = archive
            let rollups = ["minute": rollupMinute, "hour": rollupHour, "day": rollupDay].compactMapValues { $0 }
            if !rollups.isEmpty { body["rollups"] = rollups }
            body["reason"] = reason
            let answer = try await options.call("POST", "/api/retention/rules", body: body)
            if options.json { return answer.printed() }
            print("The rule is made. Its identifier is \(answer.members["id"] ?? "?").")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a rule.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "The rule's identifier, as vigil retention list says it.")
        var rule: String

        func run() async throws {
            _ = try await options.call("DELETE", "/api/retention/rules/\(segment(rule))")
            if options.json { return try Say.json(["deleted": rule]) }
            print("The rule is gone.")
        }
    }

    struct Preset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add the rules of a preset; where there is a rule for the same already, it stays.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "waris: what the water network's reference system keeps.")
        var preset: String

        func run() async throws {
            let answer = try await options.call("POST", "/api/retention/preset", body: ["preset": preset])
            if options.json { return answer.printed() }
            RetentionCommand.table(answer.items).printed(none: "Its rules are there already.")
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what would go now; changes nothing.")
        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("GET", "/api/retention/preview")
            if options.json { return answer.printed() }
            RetentionCommand.report(answer.items, none: "Nothing is past its time.")
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply the rules now; a server does it by itself every 15 minutes.")
        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("POST", "/api/retention/run")
            if options.json { return answer.printed() }
            RetentionCommand.report(answer.items, none: "Nothing was past its time.")
        }
    }

    struct Archive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what lies in the archive.")
        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("GET", "/api/retention/archive")
            if options.json { return answer.printed() }
            var table = Table("name", "from", "to", "bytes", "attached")
            for item in answer.items {
                table.add(
                    item["name"], item["from"], item["to"], item["bytes"],
                    item["isAttached"] as? Bool == true ? "yes" : "no")
            }
            table.printed(none: "The archive is empty.")
        }
    }

    struct Attach: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let questions see a part of the archive.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "Its name, as vigil retention archive says it.")
        var name: String

        func run() async throws {
            _ = try await options.call("POST", "/api/retention/archive/\(segment(name))/attach")
            if options.json { return try Say.json(["attached": name]) }
            print("\(name) is attached.")
        }
    }

    struct Detach: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End that questions see a part of the archive.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "Its name, as vigil retention archive says it.")
        var name: String

        func run() async throws {
            _ = try await options.call("POST", "/api/retention/archive/\(segment(name))/detach")
            if options.json { return try Say.json(["detached": name]) }
            print("\(name) is detached.")
        }
    }

    private static func table(_ rules: [[String: Any]]) -> Table {
        var table = Table(
            "id", "subject", "metric", "profile", "site", "hot", "warm", "archive", "aggregates", "hold", "reason")
        for rule in rules {
            let rollups = rule["rollups"] as? [String: Any] ?? [:]
            let aggregates = ["minute", "hour", "day"].compactMap { name in rollups[name].map { "\(name) \($0)" } }
            table.add(
                rule["id"], rule["subject"], rule["metric"], rule["profile"], rule["site"], rule["hot"], rule["warm"],
                rule["archive"], aggregates.joined(separator: ", "), rule["legalHold"] as? Bool == true ? "yes" : "no",
                rule["reason"])
        }
        return table
    }

    private static func report(_ items: [[String: Any]], none: String) {
        var table = Table("subject", "fate", "count", "unit", "before", "oldest")
        for item in items {
            let more = item["isMore"] as? Bool == true ? "at least " : ""
            table.add(
                item["subject"], item["fate"], "\(more)\(item["count"] ?? 0)", item["unit"], item["before"],
                item["oldest"])
        }
        table.printed(none: none)
    }
}
