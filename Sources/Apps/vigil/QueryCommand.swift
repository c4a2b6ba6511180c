import ArgumentParser
import Assembly
import Foundation

/// Asks in PromQL: `vigil query …`.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask PromQL, now or over a stretch of time.")
    @OptionGroup var options: TenantOptions
    @Argument(help: "The PromQL expression.")
    var expression: String
    @Option(help: "The moment to ask for: seconds or RFC 3339; now when absent.")
    var time: String?
    @Option(help: "Ask from here: seconds or RFC 3339.")
    var start: String?
    @Option(help: "Ask to here: seconds or RFC 3339.")
    var end: String?
    @Option(help: "How far apart the answers are.")
    var step = "60s"

    func validate() throws {
        guard (start == nil) == (end == nil) else { throw ValidationError("--start and --end come together.") }
        guard start == nil || time == nil else { throw ValidationError("Say --time, or --start and --end.") }
    }

    func run() async throws {
        var query = [("query", expression)]
        if let time { query.append(("time", time)) }
        if let start, let end { query += [("start", start), ("end", end), ("step", step)] }
        let path = start == nil ? "/api/v1/query" : "/api/v1/query_range"
        let answer = try await options.call("GET", path, query: query)
        if options.json { return answer.printed() }
        show(answer.members["data"] as? [String: Any] ?? [:])
    }

    private func show(_ data: [String: Any]) {
        var table = Table("series", "time", "value")
        guard let series = data["result"] as? [[String: Any]] else {
            let pair = data["result"] as? [Any] ?? []
            table.add(data["resultType"], Self.moment(pair.first), pair.last)
            return table.printed(none: "")
        }
        for item in series {
            let labels = Self.text(item["metric"] as? [String: Any] ?? [:])
            let pairs = item["values"] as? [[Any]] ?? [item["value"] as? [Any] ?? []]
            for pair in pairs { table.add(labels, Self.moment(pair.first), pair.last) }
        }
        table.printed(none: "No series answers that.")
    }

    /// Labels as PromQL writes them.
    private static func text(_ labels: [String: Any]) -> String {
        let name = labels["__name__"] as? String ?? ""
        let rest = labels.filter { $0.key != "__name__" }.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
        return rest.isEmpty && !name.isEmpty ? name : "\(name){\(rest.joined(separator: ","))}"
    }

    private static func moment(_ seconds: Any?) -> String? {
        (seconds as? Double).map { Date(timeIntervalSince1970: $0).formatted(.iso8601) }
    }
}
