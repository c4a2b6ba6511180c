import ArgumentParser
import Assembly

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

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Say which version this is.")

    func run() {
        print(Version.current)
    }
}
