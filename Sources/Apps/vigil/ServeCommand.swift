import ArgumentParser
import Assembly
import Foundation

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Serve a data folder over HTTP.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "The address to listen on.")
    var host: String?
    @Option(help: "The port to listen on.")
    var port: Int?

    func run() async throws {
        var flags = options.flags
        flags["server.host"] = host
        flags["server.port"] = port.map(String.init)
        let settings = try Settings(await options.load(flags))
        try await Application(settings: settings, journal: LogJournal(settings.configuration)).run()
    }
}

/// The options that every command has which needs the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The data folder; ./vigil-data when absent.")
    var data: String?
    @Option(help: "The configuration file; without it vigil.yaml in the data folder, when there is one.")
    var config: String?

    var flags: [String: String] {
        var flags: [String: String] = [:]
        flags["data"] = data
        return flags
    }

    func load(_ flags: [String: String]) async throws -> LoadedConfiguration {
        // What this program writes is for its own user alone.
        umask(0o077)
        let inFolder = (data ?? "./vigil-data") + "/vigil.yaml"
        let file = config ?? (FileManager.default.fileExists(atPath: inFolder) ? inFolder : nil)
        return try await LoadedConfiguration.load(flags: flags, file: file)
    }
}
