import Foundation

/// Makes a data folder from a backup.
package struct Restore: Sendable {
    private let data: String

    package init(_ settings: Settings) {
        data = settings.data
    }

    /// Checks every file of the backup against its hash, copies it, checks the copy, and only then gives it its name.
    ///
    /// - Throws: ``BackupRefusal`` for a backup that is not whole, or a data folder that is not empty.
    package func run(from source: String) throws -> BackupManifest {
        let files = FileManager.default
        let manifest = try Self.manifest(of: source)
        try Self.check(manifest, in: source)
        if files.fileExists(atPath: data), try !files.contentsOfDirectory(atPath: data).isEmpty {
            throw BackupRefusal(
                description: "\(data) is not empty, and nothing was changed. Restore into a new folder with --data.")
        }
        let partial = data + ".partial"
        guard !files.fileExists(atPath: partial) else {
            throw BackupRefusal(description: "\(partial) is left of a restore that was interrupted: remove it first.")
        }
        do {
            try files.createDirectory(
                atPath: partial, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for file in manifest.files {
                let target = partial + "/" + file.path
                try files.createDirectory(
                    at: URL(filePath: target).deletingLastPathComponent(), withIntermediateDirectories: true)
                try files.copyItem(atPath: source + "/" + file.path, toPath: target)
                try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: target)
            }
            try Self.check(manifest, in: partial, isNew: true)
            if files.fileExists(atPath: data) { try files.removeItem(atPath: data) }
            try files.moveItem(atPath: partial, toPath: data)
        } catch {
            try? files.removeItem(atPath: partial)
            throw error
        }
        return manifest
    }

    private static func manifest(of folder: String) throws -> BackupManifest {
        guard let content = FileManager.default.contents(atPath: folder + "/" + BackupManifest.name) else {
            throw BackupRefusal(
                description: "\(folder) is not a backup: it has no \(BackupManifest.name). "
                    + "Name a folder that vigil backup has made.")
        }
        guard let manifest = try? JSONDecoder().decode(BackupManifest.self, from: content) else {
            throw BackupRefusal(description: "DAMAGE: \(folder)/\(BackupManifest.name) cannot be read.")
        }
        guard manifest.format == BackupManifest(version: "", madeAt: "", files: []).format else {
            throw BackupRefusal(
                description: "The backup was made by version \(manifest.version), which is newer: restore it with that."
            )
        }
        return manifest
    }

    private static func check(_ manifest: BackupManifest, in folder: String, isNew: Bool = false) throws {
        let found = Dictionary(
            try BackupManifest.files(in: folder, isNew: isNew).map { ($0.path, $0) },
            uniquingKeysWith: { first, _ in first })
        for file in manifest.files {
            guard found[file.path] == file else {
                let what = found[file.path] == nil ? "is missing" : "is not what was written"
                throw BackupRefusal(description: "DAMAGE: \(folder)/\(file.path) \(what). Nothing was restored.")
            }
        }
        if let stranger = found.keys.sorted().first(where: { path in !manifest.files.contains { $0.path == path } }) {
            throw BackupRefusal(description: "\(folder)/\(stranger) is not part of the backup. Nothing was restored.")
        }
    }
}
