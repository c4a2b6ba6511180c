import ArgumentParser
import Assembly
import Foundation
import Logging

/// What commands have in common that act on a data folder, with or without a running server.
struct LocalOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions
    @Flag(help: "Print JSON.")
    var json = false

    func settings() async throws -> Settings {
        try Settings(await configuration.load(configuration.flags))
    }

    /// - Parameter makesFolder: Whether the command may begin an installation. Elsewhere a folder that is not there is
    ///   a mistyped one.
    func api(makesFolder: Bool = false) async throws -> LocalAPI {
        var logger = Logger(label: "vigil")
        logger.logLevel = .warning
        return LocalAPI(settings: makesFolder ? try await settings() : try await presentSettings(), logger: logger)
    }

    /// The settings of a folder that must be there.
    func presentSettings() async throws -> Settings {
        let settings = try await settings()
        guard FileManager.default.fileExists(atPath: settings.data) else { throw FolderAbsent(path: settings.data) }
        return settings
    }
}

/// The data folder is not there.
struct FolderAbsent: Error, CustomStringConvertible {
    let path: String

    var description: String {
        "there is no data folder \(path): name it with --data, or begin a new one with vigil user create"
    }
}

extension LocalAPI.Answer {
    /// The members of a JSON object.
    var members: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    /// Ends the command with the server's own sentence when it refused.
    func checked() throws -> Self {
        guard !isSuccess else { return self }
        let detail =
            members["detail"] as? String ?? members["error"] as? String ?? members["message"] as? String
            ?? "The answer was \(status)."
        FileHandle.standardError.write(Data("vigil: \(detail)\n".utf8))
        throw ExitCode(1)
    }

    func printed() {
        print(String(decoding: body, as: UTF8.self))
    }
}

/// Looks after people: `vigil user …`.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "People who may sign in.",
        subcommands: [Create.self, List.self, Join.self, ResetLink.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a user, and the tenant when it is new.")

        @OptionGroup var options: LocalOptions
        @Option(help: "The tenant's code: letters, digits, - and _.")
        var tenant: String
        @Option(help: "The user name.")
        var username: String
        @Option(help: "A role; may come more than once.")
        var role: [String] = ["admin"]
        @Flag(help: "Read the password from standard input; without it, it is asked for.")
        var passwordStdin = false

        func run() async throws {
            let body: [String: Any] = [
                "tenant": tenant, "username": username, "password": try password(), "roles": role,
            ]
            let answer = try await options.api(makesFolder: true).call(
                "POST", "/api/local/users", body: Array(try JSONSerialization.data(withJSONObject: body))
            ).checked()
            if options.json {
                answer.printed()
            } else {
                print("User \(username) of tenant \(tenant) is made.")
            }
        }

        private func password() throws -> String {
            if !passwordStdin {
                guard let typed = getpass("Password: ") else { throw ExitCode(1) }
                return String(cString: typed)
            }
            let data = try FileHandle.standardInput.readToEnd() ?? Data()
            return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the members of a tenant.")

        @OptionGroup var options: TenantOptions

        func run() async throws {
            let answer = try await options.call("GET", "/api/users", query: [("limit", "500")])
            if options.json { return answer.printed() }
            var table = Table("username", "name", "roles", "state", "last signed in")
            for item in answer.items {
                table.add(
                    item["username"], item["fullName"], item["rolesText"],
                    (item["isActive"] as? Bool ?? true) ? "active" : "inactive", item["lastLogin"])
            }
            table.printed(none: "Nobody is a member yet.")
        }
    }
}

/// Makes API tokens: `vigil token …`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "API tokens.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an API token of a user, and print only the token.")

        @OptionGroup var options: TenantOptions
        @Option(help: "Whose rights the token has.")
        var username: String
        @Option(help: "What the token is for.")
        var name: String

        func run() async throws {
            let answer = try await options.callLocally(
                "/api/local/tokens", ["username": username, "name": name])
            if options.json { return answer.printed() }
            print(answer.members["token"] as? String ?? "")
        }
    }
}

/// Brings readings in: `vigil import …`.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring in readings from files.", subcommands: [CSV.self])

    struct CSV: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "csv", abstract: "Import one metric of one device from a CSV file with a header.")

        @OptionGroup var options: LocalOptions
        @Argument(help: "The file.")
        var file: String
        @Option(help: "The device: code, identifier or name; an unknown one is discovered.")
        var device: String
        @Option(help: "The metric's name.")
        var metric: String
        @Option(help: "The unit of the values.")
        var unit: String?
        @Option(help: "The column with times.")
        var timeColumn = "timestamp"
        @Option(help: "The column with values.")
        var valueColumn = "value"
        @Option(help: "The zone of times that name none.")
        var timeZone: String?
        @Option(help: "The tenant's code; may be left out when there is only one.")
        var tenant: String?
        @Flag(help: "Let rules judge the imported readings, with the times at which they were true.")
        var evaluate = false

        func run() async throws {
            guard let content = try? FilePieces(path: file) else {
                FileHandle.standardError.write(Data("vigil: \(file) cannot be read.\n".utf8))
                throw ExitCode(1)
            }
            let api = try await options.api()
            var query = [
                ("device", device), ("metric", metric), ("timeColumn", timeColumn), ("valueColumn", valueColumn),
                ("evaluate", evaluate ? "true" : "false"),
            ]
            if let unit { query.append(("unit", unit)) }
            if let timeZone { query.append(("timeZone", timeZone)) }
            query.append(("tenant", try await Say.ended { try await api.tenant(tenant) }))
            let answer = try await api.call(
                "POST", "/api/import/csv", query: query, sending: .file(content), contentType: "text/csv"
            ).checked()
            if options.json { answer.printed() } else { report(answer.members) }
            // What was kept is kept, but not all of the file.
            if answer.members["refused"] as? Int ?? 0 > 0 { throw ExitCode(1) }
        }

        private func report(_ members: [String: Any]) {
            let count = { (name: String) in Self.grouped(members[name] as? Int ?? 0) }
            var line = "\(count("rows")) rows read, \(count("stored")) stored, \(count("replaced")) replaced"
            if members["refused"] as? Int ?? 0 > 0 { line += ", \(count("refused")) refused" }
            print(line)
            if evaluate { print("\(count("alerts")) alerts raised") }
            for refusal in members["refusals"] as? [[String: Any]] ?? [] {
                Say.error("line \(refusal["line"] ?? "?"): \(refusal["reason"] ?? "")")
            }
        }

        /// 22695 as 22,695.
        private static func grouped(_ number: Int) -> String {
            var digits = Array(String(number))
            var index = digits.count - 3
            while index > 0 {
                digits.insert(",", at: index)
                index -= 3
            }
            return String(digits)
        }
    }
}
