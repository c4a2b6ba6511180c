import ArgumentParser
import Assembly
import Foundation

@main
struct Vigil: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vigil", abstract: "The data platform for monitored places.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, DemoCommand.self, UserCommand.self, TokenCommand.self, ImportCommand.self,
            DeviceCommand.self, QueryCommand.self, RulesCommand.self, RetentionCommand.self, SeriesCommand.self,
            AlertsCommand.self,
            BackupCommand.self,
            RestoreCommand.self,
            MigrateCommand.self, SeedCommand.self, ResetCommand.self, DoctorCommand.self, VersionCommand.self,
        ])
}

extension Vigil {
    /// Runs the command that was typed; what goes wrong is said as `vigil: …`, however it came about.
    static func main() async {
        if let word = unknownCommand(CommandLine.arguments.dropFirst().first) {
            Say.error("\"\(word)\" is no command; vigil --help lists them")
            end(ExitCode.validationFailure)
        }
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            end(ExitCode.success)
        } catch {
            let code = exitCode(for: error)
            var text = fullMessage(for: error)
            if code.isSuccess {
                print(text)
            } else if !text.isEmpty {
                if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
                Say.error(text)
            }
            end(code)
        }
    }

    /// Ends the process with what was printed, and without what libraries do at an ordinary exit.
    ///
    /// They take their memory away from threads that still use it: a connection that is being made when the program ends
    /// would fall over the cryptography that is gone.
    private static func end(_ code: ExitCode) -> Never {
        fflush(nil)
        _exit(code.rawValue)
    }

    /// The first word that was typed, when it looks like a command and is none.
    private static func unknownCommand(_ word: String?) -> String? {
        guard let word, !word.hasPrefix("-"), word != "help" else { return nil }
        let known = configuration.subcommands.compactMap { $0.configuration.commandName }
        return known.contains(word) ? nil : word
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Say which version this is.")
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        if json { return try Say.json(["version": Version.current]) }
        print(Version.current)
    }
}
