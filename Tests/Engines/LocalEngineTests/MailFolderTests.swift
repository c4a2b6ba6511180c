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
}
