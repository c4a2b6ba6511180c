import Foundation
import VigilModel
package import VigilPorts

/// Puts letters into a folder, one file each, for a mail program of this machine to send.
///
/// They hold secrets, so only the owner can read them. A file has its final name only when it is whole: whoever watches
/// for `*.eml` never sees half of one. Files are never removed here; beyond ``lettersMax`` none is added.
package struct MailFolder: MailDelivery {
    package static let lettersMax = 10_000

    private let folder: String
    private let clock: any TimeSource

    package init(folder: String, clock: any TimeSource) {
        self.folder = folder
        self.clock = clock
    }

    package func send(_ message: MailMessage) async throws(StoreError) {
        let files = FileManager.default
        do {
            try files.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            guard try files.contentsOfDirectory(atPath: folder).count < Self.lettersMax else {
                throw StoreError(.limit, "The mail folder is full")
            }
            let id = Identifier<Named.Entry>(at: clock.now())
            let draft = "\(folder)/.\(id).tmp"
            guard
                files.createFile(
                    atPath: draft, contents: Data(message.letter(id: "\(id)", time: clock.now(), from: nil).utf8),
                    attributes: [.posixPermissions: 0o600])
            else { throw StoreError(.unavailable, "The mail folder cannot be written") }
            let handle = try FileHandle(forWritingTo: URL(filePath: draft))
            try handle.synchronize()
            try handle.close()
            try files.moveItem(atPath: draft, toPath: "\(folder)/\(id).eml")
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.unavailable, "The mail folder cannot be written")
        }
    }
}
