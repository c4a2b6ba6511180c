import VigilModel
import VigilPorts

/// How an account signs in.
package enum AuthMethod: String, Codable, Sendable, CaseIterable, SQLConvertible {
    case password
    /// Four digits, on an enrolled panel only.
    case pin
    /// The name alone, on an enrolled panel only.
    case username
}

/// A row of `users`.
struct UserRow: Sendable {
    var id: UserID
    var homeTenant: TenantID
    var username: String
    var usernameKey: String
    var email: String?
    var firstName: String
    var lastName: String
    var phone: String?
    var department: String?
    var locale: String
    var timeZone: String
    var preferences: JSONValue
    var notificationsEnabled: Bool
    var authMethod: AuthMethod
    var passwordHash: String?
    var pinHash: String?
    var mustChangePassword: Bool
    var isActive: Bool
    var lastLogin: Timestamp?
    var version: Int
    var created: Timestamp
    var updated: Timestamp
    var deletedAt: Timestamp?

    /// All columns of `users u`.
    static let columns: SQL = """
        u.id, u.home_tenant_id, u.username, u.username_key, u.email, u.first_name, u.last_name, u.phone, u.department,
        u.locale, u.time_zone, u.preferences, u.notifications_enabled, u.auth_method, u.password_hash, u.pin_hash,
        u.must_change_password, u.is_active, u.last_login_at, u.version, u.created_at, u.updated_at, u.deleted_at
        """

    init(_ row: SQLRow) throws {
        id = try row.get("id")
        homeTenant = try row.get("home_tenant_id")
        username = try row.get("username")
        usernameKey = try row.get("username_key")
        email = try row.optional("email", as: String.self)
        firstName = try row.get("first_name")
        lastName = try row.get("last_name")
        phone = try row.optional("phone", as: String.self)
        department = try row.optional("department", as: String.self)
        locale = try row.get("locale")
        timeZone = try row.get("time_zone")
        preferences = try row.get("preferences")
        notificationsEnabled = try row.get("notifications_enabled")
        authMethod = try row.get("auth_method")
        passwordHash = try row.optional("password_hash", as: String.self)
        pinHash = try row.optional("pin_hash", as: String.self)
        mustChangePassword = try row.get("must_change_password")
        isActive = try row.get("is_active")
        lastLogin = try row.optional("last_login_at", as: Timestamp.self)
        version = try row.get("version")
        created = try row.get("created_at")
        updated = try row.get("updated_at")
        deletedAt = try row.optional("deleted_at", as: Timestamp.self)
    }

    static func find(_ id: UserID, _ transaction: any SQLTransaction) throws -> UserRow? {
        try transaction.rows("SELECT \(columns) FROM users u WHERE u.id = \(id) AND u.deleted_at IS NULL").first
            .map(UserRow.init)
    }
}
