import VigilModel
import VigilPorts

/// A user as a member of one tenant.
struct MemberRow: Sendable {
    var membership: MembershipID
    var user: UserRow
    var isActive: Bool
    var seesAll: Bool
    /// The codes of the roles, sorted.
    var roles: [String]

    /// Who has one of these can do everything.
    static let rolesInCharge = ["admin", "super_user"]

    var isInCharge: Bool { isActive && user.isActive && roles.contains(where: Self.rolesInCharge.contains) }

    /// The member with this identifier or user name.
    ///
    /// - Throws: `notFound` when the tenant has none.
    static func required(_ reference: String, in tenant: TenantID, _ transaction: any SQLTransaction) throws
        -> MemberRow
    {
        let condition: SQL =
            if let id = UserID(reference) { "u.id = \(id)" } else { "u.username_key = \(reference.lowercased())" }
        guard let member = try list(condition, in: tenant, limit: 1, transaction).first else {
            throw ServiceError.notFound("user")
        }
        return member
    }

    /// Members of a tenant in the order of their names, with their roles: two statements, however many there are.
    static func list(_ condition: SQL, in tenant: TenantID, limit: Int, _ transaction: any SQLTransaction) throws
        -> [MemberRow]
    {
        let rows = try transaction.rows(
            """
            SELECT \(UserRow.columns), m.id AS membership_id, m.is_active AS member_is_active, m.visibility
            FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = \(tenant) AND u.deleted_at IS NULL AND \(condition)
            ORDER BY u.username_key LIMIT \(limit)
            """)
        let memberships = try rows.map { try $0.get("membership_id", as: MembershipID.self) }
        var roles: [MembershipID: [String]] = [:]
        let named = try transaction.rows(
            """
            SELECT mr.membership_id, coalesce(mr.built_in, r.code) AS code FROM membership_roles mr
            LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
            WHERE mr.tenant_id = \(tenant) AND mr.membership_id IN \(memberships)
            ORDER BY code
            """)
        for row in named {
            roles[try row.get("membership_id"), default: []].append(try row.get("code"))
        }
        return try zip(rows, memberships).map { row, membership in
            MemberRow(
                membership: membership, user: try UserRow(row), isActive: try row.get("member_is_active"),
                seesAll: try row.get("visibility", as: String.self) == "all", roles: roles[membership] ?? [])
        }
    }
}
