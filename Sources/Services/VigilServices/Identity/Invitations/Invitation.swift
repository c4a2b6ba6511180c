package import VigilModel

/// Somebody who is asked to join a tenant.
package struct InvitationView: Codable, Sendable {
    package var id: EntryID
    package var email: String?
    package var roles: [String]
    package var seesAll: Bool
    package var expires: Timestamp
    package var created: Timestamp
}

/// What makes an invitation.
package struct InvitationDraft: Codable, Sendable {
    /// Where the link is sent; without it, hand the link over yourself.
    package var email: String?
    /// Codes of roles; a viewer when absent.
    package var roles: [String]?
    /// Whether only what is assigned is seen; everything when absent.
    package var seesOnlyAssigned: Bool?

    package init(email: String? = nil, roles: [String]? = nil, seesOnlyAssigned: Bool? = nil) {
        self.email = email
        self.roles = roles
        self.seesOnlyAssigned = seesOnlyAssigned
    }
}

/// An invitation at the only moment when its secret is known.
package struct NewInvitation: Codable, Sendable {
    package var id: EntryID
    /// The secret by which it is accepted, once.
    package var token: String
    /// The page where it is accepted.
    package var link: String
    package var expires: Timestamp
}

/// What somebody who is invited sends: whoever is signed in joins with that account, others make one.
package struct AcceptanceDraft: Codable, Sendable {
    package var token: String
    package var username: String?
    package var password: String?
    package var firstName: String?
    package var lastName: String?

    package init(token: String, username: String? = nil, password: String? = nil) {
        self.token = token
        self.username = username
        self.password = password
    }
}
