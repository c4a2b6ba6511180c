import Foundation
package import VigilModel

extension MailMessage {
    /// The letter as RFC 5322 writes it, in ASCII, with CRLF at the end of each line.
    ///
    /// What stands in a line of the header cannot end it.
    package func letter(id: String, time: Timestamp, from sender: String?) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        let date = formatter.string(from: Date(timeIntervalSince1970: Double(time.microseconds) / 1e6))
        let host = sender.map { Self.address(in: $0) }?.split(separator: "@").last.map(String.init) ?? "vigil"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // Longer lines are cut by some servers, and not all take more than ASCII.
        let isPlain = text.utf8.allSatisfy { $0 < 0x80 } && lines.allSatisfy { $0.utf8.count <= 900 }
        var header = ["To: \(Self.line(to))", "Subject: \(Self.words(Self.line(subject)))"]
        if let sender { header.append("From: \(Self.mailbox(Self.line(sender)))") }
        header += [
            "Date: \(date)", "Message-ID: <\(id)@\(Self.line(host))>", "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
        ]
        let body =
            isPlain
            ? lines.joined(separator: "\r\n")
            : Data(text.utf8).base64EncodedString(options: [
                .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
            ])
        return header.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n"
    }

    /// The address of `Name <address>`, or of an address alone.
    package static func address(in mailbox: String) -> String {
        guard let open = mailbox.lastIndex(of: "<"), let close = mailbox.lastIndex(of: ">"), open < close else {
            return mailbox.trimmingCharacters(in: .whitespaces)
        }
        return String(mailbox[mailbox.index(after: open)..<close])
    }

    private static func mailbox(_ text: String) -> String {
        guard let open = text.lastIndex(of: "<") else { return text }
        return words(text[..<open].trimmingCharacters(in: .whitespaces)) + " " + text[open...]
    }

    private static func line(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }

    /// What is more than ASCII as encoded words (RFC 2047), each within its limit of 75 characters.
    private static func words(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var words: [String] = []
        var piece = ""
        for character in text {
            if piece.utf8.count + character.utf8.count > 42 {
                words.append(piece)
                piece = ""
            }
            piece.append(character)
        }
        words.append(piece)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }
}
