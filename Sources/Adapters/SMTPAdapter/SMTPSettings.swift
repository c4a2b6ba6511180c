/// Where letters are handed over, and how.
package struct SMTPSettings: Sendable, Hashable {
    package enum Security: String, Sendable, Hashable, CaseIterable {
        /// The connection begins plain, and is made safe before anything is said; a server that cannot is refused.
        case starttls
        /// TLS from the first byte.
        case tls
        /// Plain: for a server on this machine, or behind a tunnel.
        case none
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var user: String?
    package var password: String?
    /// Whom letters come from: an address, or `Name <address>`.
    package var from: String
    /// A PEM file with certificates that are trusted instead of the system's.
    package var trustFile: String?
    /// Seconds for a whole letter, from the connection to the last answer.
    package var seconds = 60

    package init(host: String, port: Int, security: Security, from: String) {
        self.host = host
        self.port = port
        self.security = security
        self.from = from
    }
}

extension SMTPSettings: CustomStringConvertible, CustomReflectable {
    package var description: String { "SMTPSettings(\(host):\(port))" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
