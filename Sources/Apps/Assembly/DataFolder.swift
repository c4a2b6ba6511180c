import Crypto
import Foundation
import StorageKit
import VigilModel
import VigilPorts
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
    ///
    /// - Throws: `damaged` when the file is not what was written, and when it is gone from a folder that has people: a new
    ///   key would make their PINs and all sealed secrets wrong without a word.
    func masterKey(_ settings: Settings, _ stores: Stores) async throws -> MasterKey {
        if let configured = settings.configuration.text("master_key") { return try Self.key(configured, "master_key") }
        if let text = try? String(contentsOfFile: keys, encoding: .utf8) { return try Self.key(inFile: text, keys) }
        if settings.isEmbedded {
            let people = try await stores.relational.read(in: SystemScope.allTenants("the installation's key")) {
                try $0.rows("SELECT id FROM users LIMIT 1")
            }
            guard people.isEmpty else {
                throw StoreError(
                    .damaged, "the installation's key is gone: bring it back from a copy", details: ["file": "keys"])
            }
        }
        return try makeKey()
    }

    private func makeKey() throws -> MasterKey {
        let key = MasterKey.random()
        let text =
            key.bytes.map { String(format: "%02x", $0) }.joined() + "\n\(Self.checkPrefix)\(Self.check(of: key))\n"
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
                _ = try key(inFile: try String(contentsOfFile: path + "/keys", encoding: .utf8), path + "/keys")
            }
            return nil
        } catch let fault as StoreError {
            return "\(fault)"
        } catch let fault as ConfigurationFault {
            return fault.description
        } catch {
            return "\(path)/keys cannot be read"
        }
    }

    private static let checkPrefix = "check "

    /// Tells a key that is not what was written; says nothing of the key itself.
    private static func check(of key: MasterKey) -> String {
        SHA256.hash(data: Array("vigil key check".utf8) + key.bytes).prefix(8)
            .map { String(format: "%02x", $0) }.joined()
    }

    /// The key in a file: 64 digits, and a line that checks them.
    ///
    /// A file of earlier has no such line.
    private static func key(inFile text: String, _ place: String) throws -> MasterKey {
        let lines = text.split(whereSeparator: \.isNewline)
        let damage = StoreError(
            .damaged, "the installation's key is not what was written: bring it back from a copy",
            details: ["file": "keys"])
        guard lines.count > 1 else { return try key(text, place) }
        guard lines.count == 2, lines[1].hasPrefix(checkPrefix), let key = try? key(String(lines[0]), place),
            lines[1].dropFirst(checkPrefix.count) == check(of: key)
        else { throw damage }
        return key
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
