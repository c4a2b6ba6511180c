import ArgumentParser
import Assembly
import Foundation
import Synchronization

/// Looks after the series store: `vigil series …`.
struct SeriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "series", abstract: "The store of readings: what it holds, whether it is whole, out and away.",
        subcommands: [Stats.self, Verify.self, Compact.self, Delete.self, Export.self])

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say sizes, and which labels make how many series.")
        @OptionGroup var options: TenantOptions
        @Option(help: "How many labels, and values of each.")
        var top = 10

        func run() async throws {
            let answer = try await options.call(
                "GET", "/api/local/series/statistics", query: [("top", String(top))])
            if options.json { return answer.printed() }
            let facts = answer.members
            print(
                "\(facts["series"] ?? 0) series, \(facts["samples"] ?? 0) samples, \(facts["diskBytes"] ?? 0) bytes on "
                    + "disk, \(facts["memoryBytes"] ?? 0) bytes in memory")
            var files = Table("file", "kind", "bytes")
            for file in facts["files"] as? [[String: Any]] ?? [] {
                files.add(file["name"], file["kind"], file["bytes"])
            }
            files.printed(none: "")
            var labels = Table("label", "values", "series", "most series")
            for label in facts["labels"] as? [[String: Any]] ?? [] {
                let values = (label["top"] as? [[String: Any]] ?? []).map {
                    "\($0["value"] ?? "") (\($0["series"] ?? 0))"
                }
                labels.add(label["name"], label["distinctValues"], label["series"], values.joined(separator: ", "))
            }
            labels.printed(none: "The tenant has no series.")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read every checksum; names each damage, and ends with 1 when there is one.")
        @OptionGroup var options: LocalOptions

        func run() async throws {
            let result = try await Say.ended { try await SeriesVerifying(settings: options.settings()).run() }
            if options.json {
                try Say.json(result)
            } else {
                for line in result.lines { print(line) }
            }
            if !result.isSound { throw ExitCode(1) }
        }
    }

    struct Compact: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the space of what was removed back to the disk.")
        @OptionGroup var options: LocalOptions

        func run() async throws {
            let answer = try await Say.ended {
                try await options.api().call("POST", "/api/local/series/compact").checked()
            }
            if options.json { return answer.printed() }
            print("\(answer.members["bytesBefore"] ?? 0) bytes before, \(answer.members["bytesAfter"] ?? 0) after")
        }
    }

    /// What names readings.
    struct Selection: ParsableArguments {
        @Argument(help: "A series selector, as PromQL writes it: 'temperature{room=\"kitchen\"}'.")
        var selector: String
        @OptionGroup var range: Range

        var query: [(String, String)] { [("match", selector)] + range.query }
    }

    /// A stretch of time.
    struct Range: ParsableArguments {
        @Option(help: "From here on: RFC 3339.")
        var from: String?
        @Option(help: "Up to here, not included: RFC 3339.")
        var to: String?

        var query: [(String, String)] {
            var query: [(String, String)] = []
            if let from { query.append(("from", from)) }
            if let to { query.append(("to", to)) }
            return query
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write readings to standard output, as they are read.")
        @OptionGroup var options: TenantOptions
        @OptionGroup var selection: Selection
        @Option(help: "csv, jsonl or line.")
        var form = "csv"

        func run() async throws {
            let end = LastLine()
            try await Say.ended {
                let api = try await options.local.api()
                let tenant = try await api.tenant(options.tenant)
                let refusal = try await api.stream(
                    "/api/local/series/export", query: selection.query + [("form", form), ("tenant", tenant)]
                ) { piece in
                    end.take(piece)
                    try FileHandle.standardOutput.write(contentsOf: Data(piece))
                }
                _ = try refusal?.checked()
            }
            // Line protocol ends with a comment when something could not be written.
            if form == "line", let comment = end.text, comment.hasPrefix("# left out: ") {
                Say.error(String(comment.dropFirst(2)))
            }
        }
    }
}

/// Remembers the last line of a text that goes by.
final class LastLine: Sendable {
    private let tail = Mutex<[UInt8]>([])
    /// A longer line is not remembered whole.
    private static let bytesMax = 16 * 1024

    func take(_ piece: [UInt8]) {
        tail.withLock { tail in
            tail += piece
            if tail.count > Self.bytesMax { tail.removeFirst(tail.count - Self.bytesMax) }
        }
    }

    /// Without its line feed.
    var text: String? {
        let bytes = tail.withLock { $0 }
        return bytes.split(separator: UInt8(ascii: "\n")).last.map { String(decoding: $0, as: UTF8.self) }
    }
}
