package import VigilModel

/// What somebody shows to sign in.
package struct SignInRequest: Sendable {
    package enum SessionKind: String, Sendable, Codable {
        /// A cookie that lives on while it is used.
        case browser
        /// An access token and a refresh token.
        case api
    }

    /// The user name, or the e-mail address.
    package var name: String
    /// A password or a PIN; nothing where the account signs in by name on a trusted device.
    package var secret: String
    /// The secret of the panel that the request comes from.
    package var panel: String?
    /// The tenant to act in, by code or identifier; the home tenant when `nil`.
    package var tenant: String?
    package var kind: SessionKind
    package var address: String
    package var userAgent: String

    package init(
        name: String, secret: String, panel: String? = nil, tenant: String? = nil, kind: SessionKind = .api,
        address: String, userAgent: String = ""
    ) {
        self.name = name
        self.secret = secret
        self.panel = panel
        self.tenant = tenant
        self.kind = kind
        self.address = address
        self.userAgent = userAgent
    }
}

/// A session that has just begun, or was refreshed: the only moment at which its tokens are known.
package struct SignedIn: Sendable {
    package var session: SessionID
    package var user: UserID
    package var tenant: TenantID
    package var kind: SignInRequest.SessionKind
    /// For browsers the value of the cookie.
    package var accessToken: String
    package var accessExpires: Timestamp
    /// `nil` for browsers.
    package var refreshToken: String?
    /// When the session ends at the latest.
    package var expires: Timestamp
    package var mustChangePassword: Bool
}
