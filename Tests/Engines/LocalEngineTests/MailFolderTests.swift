import Foundation
import LocalEngine
import ManualClock
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

/// Letters wait in a folder, whole, for their owner's eyes only.
@Suite struct MailFolderTests {
    @Test func `a letter is a file of its own that only the owner reads`() async throws {
        let folder = try TemporaryFolder("vigil-mail")
        let mail = MailFolder(folder: folder.file("mail"), clock: ManualClock())
        let letter = MailMessage(to: "bob@example.org", subject: "Hello\r\nBcc: eve@example.org", text: "One\nTwo")
        try await mail.send(letter)
        try await mail.send(letter)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("mail"))
        #expect(names.count == 2 && names.allSatisfy { $0.hasSuffix(".eml") && !$0.hasPrefix(".") })
        let path = folder.file("mail/" + (names.first ?? ""))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("To: bob@example.org\r\nSubject: HelloBcc: eve@example.org\r\n"))
        #expect(text.hasSuffix("\r\n\r\nOne\r\nTwo\r\n"))
        #expect("\(letter)" == "MailMessage(hidden)")
    }

    @Test func `where nothing can be written the letter is refused`() async throws {
        let mail = MailFolder(folder: "/proc/mail", clock: ManualClock())
        await #expect(throws: StoreError.self) {
            try await mail.send(MailMessage(to: "a@b", subject: "s", text: "t"))
        }
    }

    @Test func `a letter of any language is ASCII on its way, and nothing in it ends a line of the header`() throws {
        let letter = MailMessage(
            to: "bob@example.org", subject: "Einladung: Wächterhaus — ein sehr langer Name für einen kleinen Ort",
            text: "Grüße\n.\nEnde")
        let time = try #require(Timestamp("2025-06-01T12:00:00Z"))
        let text = letter.letter(id: "1", time: time, from: "Wächter\r\nBcc: x <vigil@example.org>")
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
        let header = parts[0].split(separator: "\r\n").map(String.init)
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
        #expect(header.allSatisfy { $0.utf8.count <= 78 + 8 })
        #expect(!header.contains { $0.hasPrefix("Bcc") })
        #expect(header.contains("Date: Sun, 01 Jun 2025 12:00:00 +0000"))
        #expect(header.contains("Message-ID: <1@example.org>"))
        #expect(header.contains { $0.hasPrefix("From: =?utf-8?B?") && $0.hasSuffix(" <vigil@example.org>") })
        let body = try #require(Data(base64Encoded: String(parts[1]), options: .ignoreUnknownCharacters))
        #expect(String(decoding: body, as: UTF8.self) == "Grüße\n.\nEnde")
    }
}
