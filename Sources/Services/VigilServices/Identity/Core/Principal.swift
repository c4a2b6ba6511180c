package import VigilModel

/// Who asks, and what they may see and do.
///
/// Made by Identity from a credential, never by anybody else.
package struct Principal: Sendable, Hashable {
    package enum Subject: Sendable, Hashable {
        /// A person with a session.
        case user(UserID, SessionID)
        /// An API token of a person.
        case token(TokenID, UserID)
        /// A device with a credential of its own.
        case device(DeviceID, TokenID)
        /// Somebody who may open the data folder: the command line on this machine.
        case local
        /// Nobody.
        case anonymous
    }

    package let subject: Subject
    /// The tenant that the caller acts in; `nil` for ``Subject/local`` and ``Subject/anonymous``.
    package let tenant: TenantID?
    package let permissions: [Permission]
    /// What the caller sees; `nil` where there is no tenant.
    package let scope: AccessScope?
    /// For people: user name, token name, device code.
    package let name: String
    /// Where the request came from, for the audit trail.
    package var remoteAddress: String?

    package init(
        subject: Subject, tenant: TenantID?, permissions: [Permission], scope: AccessScope?, name: String,
        remoteAddress: String? = nil
    ) {
        self.subject = subject
        self.tenant = tenant
        self.permissions = permissions
        self.scope = scope
        self.name = name
        self.remoteAddress = remoteAddress
    }

    package static let anonymous = Principal(
        subject: .anonymous, tenant: nil, permissions: [], scope: nil, name: "anonymous")

    /// The person behind the request, if there is one.
    package var user: UserID? {
        switch subject {
        case .user(let user, _), .token(_, let user): user
        case .device, .local, .anonymous: nil
        }
    }

    package func may(_ needed: Permission) -> Bool { permissions.allow(needed) }

    /// The scope of a caller who acts in a tenant.
    ///
    /// - Throws: `unauthenticated` for nobody.
    package func requiredScope() throws(ServiceError) -> AccessScope {
        guard let scope else {
            throw ServiceError(.unauthenticated, "auth.required", "Sign in, or send a token.")
        }
        return scope
    }
}
