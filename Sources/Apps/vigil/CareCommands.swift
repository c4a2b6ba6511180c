import ArgumentParser
import Assembly
import Foundation
import Logging

/// What commands say, and how they end.
enum Say {
    static func error(_ text: String) {
        FileHandle.standardError.write(Data("vigil: \(text)\n".utf8))
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Runs `body`, and ends the program with its error as a sentence.
    static func ended<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let code as ExitCode {
            throw code
        } catch {
            Self.error("\(error)")
            throw ExitCode(1)
        }
    }
}

/// Moves the schema: `vigil migrate …`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Look at the schema of a data folder, and move it.",
        discussion: "vigil serve moves the schema of an embedded folder by itself. A copy is made before each change.",
        subcommands: [Status.self, Up.self, Down.self, New.self])

    private static func show(_ lines: [SchemaCare.Line], json: Bool, none: String) throws {
        if json { return try Say.json(lines) }
        if lines.isEmpty { print(none) }
        for line in lines {
            let digits = String(line.number)
            let number = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            print("\(number)  \(line.name)  \(line.state)")
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List migrations, applied and pending.")
        @OptionGroup var options: LocalOptions

        func run() async throws {
            let lines = try await Say.ended { try await SchemaCare(try await options.presentSettings()).status() }
            try show(lines, json: options.json, none: "There are no migrations.")
            if lines.contains(where: { !["applied", "pending"].contains($0.state) }) { throw ExitCode(1) }
        }
    }

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Apply what is pending.")
        @OptionGroup var options: LocalOptions
        @Option(help: "Stop after this number.")
        var to: Int?
        @Flag(help: "Do it to a copy, which is removed again.")
        var dryRun = false
        @Flag(help: "Make no copy first.")
        var withoutBackup = false

        func run() async throws {
            let lines = try await Say.ended {
                // With its tables on a server a node's folder may be new; an embedded one is made by vigil serve.
                var settings = try await options.settings()
                if settings.isEmbedded { settings = try await options.presentSettings() }
                return try await SchemaCare(settings, makesBackup: !withoutBackup).up(to: to, dryRun: dryRun)
            }
            try show(lines, json: options.json, none: "Nothing is pending.")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take the newest migrations back, with the data that only they can hold.")
        @OptionGroup var options: LocalOptions
        @Option(help: "How many.")
        var steps = 1
        @Flag(help: "Do it to a copy, which is removed again.")
        var dryRun = false
        @Flag(help: "Make no copy first.")
        var withoutBackup = false

        func run() async throws {
            let lines = try await Say.ended {
                try await SchemaCare(try await options.presentSettings(), makesBackup: !withoutBackup).down(
                    steps: steps, dryRun: dryRun)
            }
            try show(lines, json: options.json, none: "Nothing was applied.")
        }
    }

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write the two files of a new migration.")
        @Argument(help: "What it is for, in a word or two.")
        var name: String
        @Option(help: "The folder to write them to.")
        var folder = "."
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let paths = try await Say.ended { try SchemaCare.new(name, in: folder) }
            if json { return try Say.json(paths) }
            for path in paths { print(path) }
        }
    }
}

/// Looks at an installation: `vigil doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at configuration, schema, files, clock and disk; ends with 1 on a problem."
    )
    @OptionGroup var options: LocalOptions

    func run() async throws {
        let settings = try await Say.ended { try await options.settings() }
        let report = try await Say.ended {
            try await Doctor(settings: settings, logger: Logger(label: "vigil")).report()
        }
        if options.json {
            try Say.json(report)
        } else {
            for line in report.lines { print(line) }
        }
        if !report.isSound { throw ExitCode(1) }
    }
}

/// Empties a data folder: `vigil reset`.
struct ResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Remove every person, place and reading of a data folder.")
    @OptionGroup var options: LocalOptions
    @Option(help: "The folder's own name, instead of typing it.")
    var confirm: String?

    func run() async throws {
        try await Say.ended {
            let reset = FolderReset(try await options.settings())
            try reset.admit()
            var typed = confirm
            if typed == nil {
                FileHandle.standardError.write(
                    Data("This removes everything. Type the folder's name, \(reset.confirmation): ".utf8))
                typed = readLine()
                if typed == nil { FileHandle.standardError.write(Data("\n".utf8)) }
            }
            try reset.run(typed: typed ?? "")
            if options.json { try Say.json(["reset": reset.confirmation]) } else { print("The folder is empty.") }
        }
    }
}

/// Makes the example places: `vigil seed`.
struct SeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seed",
        abstract: "Make four example places with their devices and rules; what is there already stays as it is.")
    @OptionGroup var options: LocalOptions
    @Option(help: "The tenant's code; the tenant is made when it is new.")
    var tenant: String

    func run() async throws {
        try await Say.ended {
            let seeded = try await Seed(api: try await options.api(makesFolder: true), tenant: tenant).run()
            if options.json { return try Say.json(seeded) }
            print("\(seeded.sites) sites, \(seeded.devices) devices and \(seeded.rules) rules are new.")
        }
    }
}
