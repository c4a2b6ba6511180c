/// What a request shows to say who sends it.
package enum Credential: Sendable, Hashable {
    /// The value of the session cookie.
    case cookie(String)
    /// `Authorization: Bearer …`: an access token, an API token or a device's credential.
    case bearer(String)
    /// `Authorization: Token …`, as InfluxDB's clients write it: an API token or a device's credential.
    case token(String)
    /// `Authorization: Basic …`, or the query items `u` and `p`: any name, with an API token or a device's credential as
    /// the password. A person's password is never taken here, because hashing it for each request would invite floods.
    case basic(name: String, secret: String)

    /// What was shown as the secret.
    var secret: String {
        switch self {
        case .cookie(let secret), .bearer(let secret), .token(let secret), .basic(_, let secret): secret
        }
    }
}

extension Credential: CustomStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .cookie: "cookie(hidden)"
        case .bearer: "bearer(hidden)"
        case .token: "token(hidden)"
        case .basic: "basic(hidden)"
        }
    }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
