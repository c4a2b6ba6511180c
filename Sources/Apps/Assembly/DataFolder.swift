import Foundation
import StorageKit
import VigilServices

/// The folder where an installation keeps everything, held by one process at a time.
package final class DataFolder: Sendable {
    package let path: String
    private let lock: FolderLock

    /// Takes the folder, which is made when it is missing, readable by its owner only.
    ///
    /// - Throws: ``FolderLock/Held`` naming the process that has it.
    package init(_ path: String) throws {
        self.path = path
        lock = try FolderLock(folder: path)
        chmod(path, 0o700)
    }

    package var database: String { path + "/vigil.db" }
    package var series: String { path + "/series" }
    package var blobs: String { path + "/blobs" }
    package var backups: String { path + "/backups" }
    /// Letters to people, for a mail program to send.
    package var mail: String { path + "/mail" }
    package var socket: String { path + "/vigil.sock" }
    private var keys: String { path + "/keys" }

    /// The installation's key: the one that is configured, else the folder's, which is made at the first start.
    func masterKey(configured: String?) throws -> MasterKey {
        if let configured { return try Self.key(configured, "master_key") }
        if let text = try? String(contentsOfFile: keys, encoding: .utf8) { return try Self.key(text, keys) }
        let key = MasterKey.random()
        let text = key.bytes.map { String(format: "%02x", $0) }.joined() + "\n"
        guard
            FileManager.default.createFile(
                atPath: keys, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else {
            throw ConfigurationFault(
                key: keys, value: nil, allowed: "a file that can be written, or set master_key", source: "data folder")
        }
        return key
    }

    /// What is wrong with the key of a folder that nobody has to hold for this; `nil` when nothing is, or there is none yet.
    static func keyFault(in path: String, configured: String?) -> String? {
        do {
            if let configured {
                _ = try key(configured, "master_key")
            } else if FileManager.default.fileExists(atPath: path + "/keys") {
                _ = try key(try String(contentsOfFile: path + "/keys", encoding: .utf8), path + "/keys")
            }
            return nil
        } catch let fault as ConfigurationFault {
            return fault.description
        } catch {
            return "\(path)/keys cannot be read"
        }
    }

    private static func key(_ text: String, _ place: String) throws -> MasterKey {
        let digits = Array(text.filter { !$0.isWhitespace }.utf8)
        let bytes = stride(from: 0, to: digits.count - digits.count % 2, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        guard digits.count == MasterKey.byteCount * 2, let key = MasterKey(bytes: bytes) else {
            throw ConfigurationFault(key: place, value: nil, allowed: "64 hexadecimal digits", source: "key")
        }
        return key
    }
}
