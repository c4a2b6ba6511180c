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
                    atPath: draft, contents: Data(text(of: message, id: "\(id)").utf8),
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

    /// A letter as RFC 5322 writes it; what stands in the header cannot end a line of it.
    private func text(of message: MailMessage, id: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        let date = formatter.string(from: Date(timeIntervalSince1970: Double(clock.now().microseconds) / 1e6))
        let header = [
            "To: \(Self.line(message.to))", "Subject: \(Self.line(message.subject))", "Date: \(date)",
            "Message-ID: <\(id)@vigil>", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
        ]
        return header.joined(separator: "\r\n") + "\r\n\r\n" + message.text.replacing("\n", with: "\r\n") + "\r\n"
    }

    private static func line(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }
}
