import ArgumentParser
import Assembly
import Foundation

/// Copies a data folder: `vigil backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy a data folder, also while a server uses it.",
        discussion: "The key file is left out, so that a backup alone opens no secrets. Keep it in another place.")
    @OptionGroup var options: LocalOptions
    @Argument(help: "The folder to make; it must be absent or empty.")
    var target: String
    @Flag(help: "Copy the key file too: who has the backup can then open its secrets.")
    var withKeys = false
    @Flag(help: "Copy the archive of readings too.")
    var withArchive = false

    func run() async throws {
        try await Say.ended {
            let order: [String: Any] = [
                "folder": URL(filePath: target).standardizedFileURL.path(percentEncoded: false), "keys": withKeys,
                "archive": withArchive,
            ]
            let answer = try await options.api().call(
                "POST", "/api/local/backup", body: Array(try JSONSerialization.data(withJSONObject: order))
            ).checked()
            if options.json { return answer.printed() }
            let facts = answer.members
            print("\(facts["files"] ?? 0) files, \(facts["bytes"] ?? 0) bytes are in \(facts["folder"] ?? target).")
            if let archive = facts["archive"] as? [String: Any], archive["isIncluded"] as? Bool == false {
                print(
                    "\(archive["files"] ?? 0) files of archived readings, \(archive["bytes"] ?? 0) bytes, are not among "
                        + "them: copy \(archive["folder"] ?? "the archive") yourself, or back up --with-archive.")
            }
            if !withKeys { print("The key file is not among them: keep a copy of it elsewhere.") }
        }
    }
}

/// Makes a data folder from a backup: `vigil restore`.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a data folder from a backup, after checking every file of it.")
    @OptionGroup var options: LocalOptions
    @Argument(help: "The backup's folder.")
    var source: String

    func run() async throws {
        try await Say.ended {
            let settings = try await options.settings()
            let manifest = try Restore(settings).run(from: source)
            if options.json { return try Say.json(manifest) }
            print(
                "\(manifest.files.count) files of \(manifest.madeAt) are in \(settings.data), each as it was written.")
            if !manifest.files.contains(where: { $0.path == "keys" }) {
                print("The backup holds no key file: put yours at \(settings.data)/keys before the first start.")
            }
        }
    }
}
