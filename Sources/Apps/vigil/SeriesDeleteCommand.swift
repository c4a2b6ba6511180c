import ArgumentParser
import Foundation

extension SeriesCommand {
    /// Removes readings: `vigil series delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove readings for real, after counting them and asking.",
            discussion: "With --all every reading of the tenant goes; people, places, rules and alerts stay.")
        @OptionGroup var options: TenantOptions
        @Argument(help: "A series selector, as PromQL writes it: 'temperature{room=\"kitchen\"}'.")
        var selector: String?
        @OptionGroup var range: Range
        @Flag(help: "Every reading of the tenant.")
        var all = false
        @Option(help: "The tenant's code once more, instead of typing it; with --all.")
        var confirm: String?
        @Flag(help: "Do not ask; with a selector.")
        var yes = false

        func validate() throws {
            guard (selector != nil) != all else {
                throw ValidationError("name the series with a selector, or remove every reading with --all")
            }
            if all, yes { throw ValidationError("--all is confirmed by the tenant's code: --confirm") }
            if all, !range.query.isEmpty {
                throw ValidationError("--all knows no range: name the series with a selector")
            }
            if !all, confirm != nil { throw ValidationError("--confirm belongs to --all") }
        }

        func run() async throws {
            let path = all ? "/api/local/series/delete-all" : "/api/local/series/delete"
            var query = range.query
            if let selector { query.append(("match", selector)) }
            let isAsked = all ? confirm == nil : !yes
            var typed = confirm
            if isAsked {
                let counted = try await options.call("POST", path, query: query + [("dryRun", "true")])
                let (series, samples) = (counted.members["series"] ?? 0, counted.members["samples"] ?? 0)
                let word = all ? "the tenant's code" : "yes"
                FileHandle.standardError.write(
                    Data("This removes \(samples) readings of \(series) series. Type \(word): ".utf8))
                typed = readLine()
                guard all ? typed?.isEmpty == false : typed == "yes" else {
                    Say.error("Nothing was removed.")
                    throw ExitCode(1)
                }
            }
            if all, let typed { query.append(("confirm", typed)) }
            let answer = try await options.call("POST", path, query: query)
            if options.json { return answer.printed() }
            print("\(answer.members["samples"] ?? 0) readings of \(answer.members["series"] ?? 0) series are gone.")
        }
    }
}
