package import VigilModel

/// A wall panel or another trusted device, where people sign in with a PIN or by name alone.
package struct PanelView: Codable, Sendable, Hashable {
    package var id: PanelID
    package var name: String
    package var allowsPIN: Bool
    package var allowsUsername: Bool
    /// Whether a device has enrolled as this panel.
    package var isEnrolled: Bool
    /// Until when a device can enrol with the code that was given out; absent when there is none.
    package var codeExpires: Timestamp?
    package var lastUsed: Timestamp?
    package var created: Timestamp
}

/// What makes a panel.
package struct PanelDraft: Codable, Sendable {
    package var name: String
    /// Whether PINs work there; they do when absent.
    package var allowsPIN: Bool?
    /// Whether names alone work there; they do not when absent.
    package var allowsUsername: Bool?

    package init(name: String, allowsPIN: Bool? = nil, allowsUsername: Bool? = nil) {
        self.name = name
        self.allowsPIN = allowsPIN
        self.allowsUsername = allowsUsername
    }
}

/// The code by which one device enrols as a panel, once, at the only moment when it is known.
package struct PanelCode: Codable, Sendable {
    package var id: PanelID
    package var name: String
    package var code: String
    package var expires: Timestamp
}

/// The secret of a panel that has just enrolled, at the only moment when it is known.
package struct EnrolledPanel: Codable, Sendable {
    package var id: PanelID
    package var name: String
    /// The code of its tenant.
    package var tenant: String
    /// Sent with every sign-in from this panel.
    package var secret: String
}

/// A code that people read off one screen and type on another: twelve letters and digits that look like no others.
enum EnrolmentCode {
    private static let alphabet = Array("ABCDEFGHJKMNPQRSTVWXYZ23456789")

    /// A new code, in groups of four: 58 random bits.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let letters = (0..<12).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
        return [letters[0..<4], letters[4..<8], letters[8..<12]].map { String($0) }.joined(separator: "-")
    }

    /// What the database keeps of a code, however it was typed.
    static func hash(_ typed: String) -> String {
        SecretToken.digest(of: "panel/" + typed.uppercased().filter { $0 != "-" && $0 != " " })
    }
}
