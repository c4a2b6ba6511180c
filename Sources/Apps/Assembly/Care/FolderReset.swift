import Foundation

/// Empties a data folder, for `vigil reset`.
package struct FolderReset: Sendable {
    /// Why a folder is not emptied.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
    }

    private let settings: Settings

    package init(_ settings: Settings) {
        self.settings = settings
    }

    /// What a person must type to mean it: the folder's own name.
    package var confirmation: String {
        URL(filePath: settings.data).standardizedFileURL.lastPathComponent
    }

    /// Removes every person, place, reading and file of the folder; its key stays, so that old backups can be read.
    ///
    /// - Throws: ``Refused`` in production, or when `typed` is something else; ``FolderLock/Held`` under a running server.
    package func run(typed: String) throws {
        try admit()
        guard typed == confirmation else {
            throw Refused(description: "nothing was removed: type the folder's name, \(confirmation)")
        }
        let folder = try DataFolder(settings.data)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let isOurs =
                name.hasPrefix("vigil.db")
                || ["series", "blobs", "graph", "backups", "mail", "vigil.sock"].contains(name)
            if isOurs { try FileManager.default.removeItem(atPath: folder.path + "/" + name) }
        }
    }

    /// - Throws: ``Refused`` when nothing may be removed, whatever is typed.
    package func admit() throws {
        guard !settings.isProduction else {
            throw Refused(description: "environment is production: nothing is reset there")
        }
        guard FileManager.default.fileExists(atPath: settings.data + "/vigil.db") else {
            throw Refused(description: "\(settings.data) is no data folder: it has no vigil.db")
        }
    }
}
