/// A letter to one person, in plain text.
package struct MailMessage: Sendable, Hashable {
    /// An e-mail address.
    package let to: String
    package let subject: String
    package let text: String

    package init(to: String, subject: String, text: String) {
        self.to = to
        self.subject = subject
        self.text = text
    }
}

extension MailMessage: CustomStringConvertible, CustomReflectable {
    package var description: String { "MailMessage(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Brings letters to people: links that set a password, invitations.
package protocol MailDelivery: Sendable {
    /// Returns when the letter is in safe hands; it then survives a restart.
    ///
    /// - Throws: `unavailable` when it is not; the caller may try again.
    func send(_ message: MailMessage) async throws(StoreError)
}
