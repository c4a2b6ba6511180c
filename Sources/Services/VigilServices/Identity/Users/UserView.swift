package import VigilModel

/// A member of a tenant, as the API shows one.
package struct UserView: Codable, Sendable, Hashable {
    package var id: UserID
    package var username: String
    package var email: String?
    package var firstName: String
    package var lastName: String
    package var fullName: String
    package var phone: String?
    package var department: String?
    package var locale: String
    package var timeZone: String
    package var preferences: JSONValue
    package var notificationsEnabled: Bool
    package var authMethod: AuthMethod
    /// Whether the account and the membership are both active.
    package var isActive: Bool
    /// Whether everything of the tenant is seen, or only what is assigned.
    package var seesAll: Bool
    package var roles: [String]
    package var rolesText: String
    package var lastLogin: Timestamp?
    package var created: Timestamp
    package var version: Int

    init(_ member: MemberRow) {
        let user = member.user
        id = user.id
        username = user.username
        email = user.email
        firstName = user.firstName
        lastName = user.lastName
        fullName = [user.firstName, user.lastName].filter { !$0.isEmpty }.joined(separator: " ")
        phone = user.phone
        department = user.department
        locale = user.locale
        timeZone = user.timeZone
        preferences = user.preferences
        notificationsEnabled = user.notificationsEnabled
        authMethod = user.authMethod
        isActive = user.isActive && member.isActive
        seesAll = member.seesAll
        roles = member.roles
        rolesText = member.roles.joined(separator: ", ")
        lastLogin = user.lastLogin
        created = user.created
        version = user.version
    }
}

/// A user to be made.
package struct UserDraft: Codable, Sendable {
    package var username: String
    /// Needed unless `authMethod` is another.
    package var password: String?
    /// `password` when absent.
    package var authMethod: AuthMethod?
    package var pin: String?
    package var email: String?
    package var firstName: String?
    package var lastName: String?
    package var phone: String?
    package var department: String?
    package var locale: String?
    package var timeZone: String?
    /// Codes of roles; a viewer when absent.
    package var roles: [String]?
    /// Whether only what is assigned is seen; everything when absent.
    package var seesOnlyAssigned: Bool?

    package init(username: String, password: String?, roles: [String]? = nil, email: String? = nil) {
        self.username = username
        self.password = password
        self.roles = roles
        self.email = email
    }
}

/// What may be changed of a user; what is absent stays.
package struct UserPatch: Codable, Sendable {
    package var email: String?
    package var firstName: String?
    package var lastName: String?
    package var phone: String?
    package var department: String?
    package var locale: String?
    package var timeZone: String?
    package var preferences: JSONValue?
    package var notificationsEnabled: Bool?
    package var isActive: Bool?
    package var roles: [String]?

    package init() {}

    /// Whether it changes where links to a new password go.
    var changesAddress: Bool { email != nil }

    /// Whether it changes the account, and not only the membership.
    var changesAccount: Bool {
        changesAddress || notificationsEnabled != nil || preferences != nil
            || [firstName, lastName, phone, department, locale, timeZone].contains { $0 != nil }
    }
}
