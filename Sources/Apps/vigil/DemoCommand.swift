import ArgumentParser
import Assembly
import Foundation

/// Serves the simulated places: `vigil demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Serve four simulated places: a home, a boiler house, a water district, a fleet."
    )

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The port to listen on, on 127.0.0.1.")
    var port = 8080

    func run() async throws {
        var flags = options.flags
        flags["data"] = options.data ?? "./data/demo"
        flags["server.host"] = "127.0.0.1"
        flags["server.port"] = String(port)
        let settings = try Settings(await options.load(flags))
        let journal = LogJournal(settings.configuration, quiet: true)
        let logger = journal.logger("vigil")
        let api = LocalAPI(settings: settings, logger: logger)
        let password = Self.randomPassword()
        let name = "demo"
        try await setPassword(password, of: name, api)
        let token =
            try await api.call(
                "POST", "/api/local/tokens",
                body: Array(try JSONEncoder().encode(["tenant": "demo", "username": name, "name": "simulators"]))
            ).checked().members["token"] as? String ?? ""
        let address = "http://127.0.0.1:\(port)"
        // Written at once: a pipe would hold it back until the program ends.
        FileHandle.standardOutput.write(
            Data(
                """

                Vigil is at  \(address)
                User name    \(name)
                Password     \(password)

                Ctrl-C stops it.

                """.utf8))
        let demo = Demo(address: address, token: token, logger: logger)
        let simulators = Task { try await demo.run() }
        defer { simulators.cancel() }
        try await Application(settings: settings, journal: journal).run()
    }

    /// Makes the user, or gives the one of an earlier run a new password.
    private func setPassword(_ password: String, of name: String, _ api: LocalAPI) async throws {
        let user = ["tenant": "demo", "username": name, "password": password]
        let made = try await api.call("POST", "/api/local/users", body: Array(try JSONEncoder().encode(user)))
        guard made.status == 409 else {
            _ = try made.checked()
            return
        }
        _ = try await api.call(
            "PUT", "/api/users/\(name)/sign-in", query: [("tenant", "demo")],
            body: Array(try JSONEncoder().encode(["method": "password", "password": password]))
        ).checked()
    }

    /// Sixteen letters and digits that cannot be mistaken for each other.
    private static func randomPassword() -> String {
        let letters = Array("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789")
        return String((0..<16).compactMap { _ in letters.randomElement() })
    }
}
