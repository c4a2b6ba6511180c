import Crypto
import Foundation

/// What a backup holds, kept in it as `backup.json`.
package struct BackupManifest: Codable, Sendable {
    /// A file of the backup.
    package struct File: Codable, Sendable, Hashable {
        /// Below the backup's folder.
        package var path: String
        package var bytes: Int
        package var sha256: String
    }

    /// The form of this list; a program refuses one that it does not know.
    package var format = 1
    /// The version of the program that made it.
    package var version: String
    package var madeAt: String
    package var files: [File]

    package var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    static let name = "backup.json"

    /// Lists what a folder holds, with the hash of each file.
    ///
    /// - Parameter isNew: The files have just been written, and are to survive a power cut.
    static func files(in folder: String, isNew: Bool = false) throws -> [File] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().compactMap { path in
            let whole = folder + "/" + path
            let kind = try FileManager.default.attributesOfItem(atPath: whole)[.type] as? FileAttributeType
            guard kind == .typeRegular, path != name else { return nil }
            let handle = try FileHandle(forReadingFrom: URL(filePath: whole))
            defer { try? handle.close() }
            var hash = SHA256()
            var bytes = 0
            while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
                hash.update(data: piece)
                bytes += piece.count
            }
            if isNew { try handle.synchronize() }
            let digits = hash.finalize().map { String(format: "%02x", $0) }.joined()
            return File(path: path, bytes: bytes, sha256: digits)
        }
    }
}

/// Why a backup or a restore ended, as a sentence that says what to do.
package struct BackupRefusal: Error, CustomStringConvertible, Hashable {
    package let description: String
}
