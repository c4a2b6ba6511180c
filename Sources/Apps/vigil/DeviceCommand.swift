import ArgumentParser
import Foundation

/// Looks after devices: `vigil device …`.
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Devices.",
        subcommands: [List.self, Show.self, Add.self, Remove.self, Discovered.self, Claim.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List devices.")
        @OptionGroup var options: TenantOptions
        @Option(help: "A part of the name, the code or an external identifier.")
        var search: String?
        @Option(help: "Only of this site: identifier or code.")
        var site: String?
        @Option(help: "online, warning, offline or unknown.")
        var connection: String?
        @Option(help: "How many at most, up to 500.")
        var limit = 500

        func run() async throws {
            var query = [("order", "name"), ("limit", String(limit))]
            for (key, value) in [("search", search), ("site", site), ("connection", connection)] {
                if let value { query.append((key, value)) }
            }
            let answer = try await options.call("GET", "/api/devices", query: query)
            if options.json { return answer.printed() }
            var table = Table("code", "name", "kind", "site", "status", "connection", "last seen")
            for item in answer.items {
                table.add(
                    item["code"], item["name"], item["kind"], name(item["site"]), item["status"],
                    item["connectionState"], item["lastSeen"])
            }
            table.printed(none: "There are no such devices. Add one with vigil device add --name NAME.")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a device with all that is known of it.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "Identifier, code or external identifier.")
        var device: String

        func run() async throws {
            let answer = try await options.call("GET", "/api/devices/\(segment(device))")
            if options.json { return answer.printed() }
            var table = Table("what", "value")
            for (key, value) in answer.members.sorted(by: { $0.key < $1.key }) {
                table.add(key, name(value) ?? Say.compact(value))
            }
            table.printed(none: "")
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a device.")
        @OptionGroup var options: TenantOptions
        @Option(help: "What people call it.")
        var name: String
        @Option(help: "What machines call it; made of the name when absent.")
        var code: String?
        @Option(help: "What it is: sensor, camera, meter, ….")
        var kind: String?
        @Option(help: "Identifier or code of its profile.")
        var profile: String?
        @Option(help: "Identifier or code of its site.")
        var site: String?
        @Option(help: "Identifier or code of its location.")
        var location: String?
        @Option(help: "How often it reports, in seconds.")
        var interval: Double?

        func run() async throws {
            var body: [String: Any] = ["name": name]
            body["code"] = code
            body["kind"] = kind
            body["profile"] = profile
            body["site"] = site
            body["location"] = location
            body["expectedIntervalSeconds"] = interval
            let answer = try await options.call("POST", "/api/devices", body: body)
            if options.json { return answer.printed() }
            print("Device \(answer.members["code"] ?? name) is there.")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a device; it can be restored.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "Identifier, code or external identifier.")
        var device: String

        func run() async throws {
            _ = try await options.call("DELETE", "/api/devices/\(segment(device))")
            if options.json { return try Say.json(["deleted": device]) }
            print("Device \(device) is deleted. Its readings stay, and it can be restored.")
        }
    }

    struct Discovered: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List devices that report without being known.")
        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("GET", "/api/discovered", query: [("limit", "500")])
            if options.json { return answer.printed() }
            var table = Table("id", "reference", "last seen")
            for item in answer.items {
                table.add(item["id"], item["reference"] ?? item["code"], item["lastSeen"] ?? item["lastSeenAt"])
            }
            table.printed(none: "Every device that reports is known.")
        }
    }

    struct Claim: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a discovered device one of the known.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "Its identifier, or what it calls itself, as vigil device discovered says them.")
        var device: String
        @Option(help: "What people call it; what it calls itself when absent.")
        var name: String?

        func run() async throws {
            let body: [String: Any] = name.map { ["name": $0] } ?? [:]
            let answer = try await options.call("POST", "/api/discovered/\(segment(device))/claim", body: body)
            if options.json { return answer.printed() }
            print("Device \(answer.members["code"] ?? device) is known now, with the readings it has sent.")
        }
    }
}

extension Say {
    /// A value in one line.
    static func compact(_ value: Any) -> Any {
        guard JSONSerialization.isValidJSONObject(value),
            let data = try? JSONSerialization.data(
                withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
        else { return value }
        return String(decoding: data, as: UTF8.self)
    }
}
