import ArgumentParser
import Assembly
import Foundation

extension UserCommand {
    /// Makes somebody who is there a member of one tenant more.
    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a user a member of one tenant more.")

        @OptionGroup var options: LocalOptions
        @Option(help: "The tenant's code.")
        var tenant: String
        @Option(help: "The user name.")
        var username: String
        @Option(help: "A role; may come more than once.")
        var role: [String] = ["viewer"]

        func run() async throws {
            let body: [String: Any] = ["tenant": tenant, "username": username, "roles": role]
            let answer = try await options.api().call(
                "POST", "/api/local/members", body: Array(try JSONSerialization.data(withJSONObject: body))
            ).checked()
            if options.json { return answer.printed() }
            print("User \(username) is a member of tenant \(tenant).")
        }
    }

    /// Makes a link by which somebody sets a new password.
    struct ResetLink: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-link",
            abstract: "Print a link by which a user sets a new password, once and within an hour.")

        @OptionGroup var options: TenantOptions
        @Option(help: "The user name.")
        var username: String

        func run() async throws {
            let answer = try await options.callLocally("/api/local/reset-links", ["username": username])
            if options.json { return answer.printed() }
            // A server that runs knows best where it is reached.
            var address = answer.members["address"] as? String
            if address == nil { address = try await options.settings().publicAddress }
            print("\(address ?? "")/reset?token=\(answer.members["token"] ?? "")")
        }
    }
}
