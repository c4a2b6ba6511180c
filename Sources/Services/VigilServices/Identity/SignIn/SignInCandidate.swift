import Crypto
import VigilModel
import VigilPorts

/// The account that a sign-in names, if there is one, and the keys under which the attempt is counted.
struct SignInCandidate: Sendable {
    var user: UserRow?
    var panel: Panel?
    var accountKey: String
    var addressKey: String

    struct Panel: Sendable {
        var id: PanelID
        var tenant: TenantID
        var allowsPIN: Bool
        var allowsUsername: Bool
    }

    static func find(_ request: SignInRequest, _ transaction: any SQLTransaction) throws -> SignInCandidate {
        let key = request.name.lowercased()
        let rows = try transaction.rows(
            "SELECT \(UserRow.columns) FROM users u WHERE u.username_key = \(key) OR u.email_key = \(key)")
        let users = try rows.map(UserRow.init)
        let user = users.first { $0.usernameKey == key } ?? users.first
        let panel = try request.panel.flatMap { try Self.panel($0, transaction) }
        return SignInCandidate(
            user: user, panel: panel, accountKey: user.map { "user:\($0.id)" } ?? unknownKey(key),
            // A panel is one party wherever it connects from, so changing its address gives it no more attempts.
            addressKey: panel.map { "panel:\($0.id)" } ?? AddressKey.of(request.address))
    }

    /// A hash, because people type passwords into the field for the name.
    private static func unknownKey(_ name: String) -> String {
        "name:" + Base64URL.encode(Array(SHA256.hash(data: Array(name.utf8)).prefix(16)))
    }

    private static func panel(_ secret: String, _ transaction: any SQLTransaction) throws -> Panel? {
        guard let token = SecretToken(shown: secret), token.kind == .panel else { return nil }
        let row = try transaction.rows(
            """
            SELECT id, tenant_id, allows_pin, allows_username FROM panels
            WHERE secret_hash = \(token.hash) AND revoked_at IS NULL
            """
        ).first
        return try row.map { row in
            Panel(
                id: try row.get("id"), tenant: try row.get("tenant_id"), allowsPIN: try row.get("allows_pin"),
                allowsUsername: try row.get("allows_username"))
        }
    }

    /// Whether the account may sign in the way that it does; asked after the secret was looked at, so that the answer's
    /// time says nothing.
    func isAdmitted(secretIsRight: Bool) -> Bool {
        guard let user, user.isActive, user.deletedAt == nil else { return false }
        switch user.authMethod {
        case .password: return secretIsRight
        case .pin: return secretIsRight && panel?.allowsPIN == true
        case .username: return panel?.allowsUsername == true
        }
    }
}
