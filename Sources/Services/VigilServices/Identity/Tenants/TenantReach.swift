import VigilModel
import VigilPorts

/// Which tenants somebody may act in, as a condition, read in one statement however many there are.
struct TenantReach: Sendable {
    /// On `tenants t`.
    let condition: SQL

    static func of(_ principal: Principal, _ current: TenantID, _ transaction: any SQLTransaction) throws
        -> TenantReach
    {
        guard let user = principal.user else {
            let condition: SQL =
                principal.subject == .local
                ? "t.id = \(current) OR t.parent_id = \(current)" as SQL : "t.id = \(current)" as SQL
            return TenantReach(condition: condition)
        }
        let memberships = try memberships(of: user, transaction)
        let members = memberships.values.filter(\.isActive)
        let acting = members.filter { $0.permissions.allow(Permission("client", "act")) }
        let whole = acting.filter(\.seesAll).map(\.tenant)
        let parts = acting.filter { !$0.seesAll }.map(\.id)
        // Who is a member of a client has that membership's rights only.
        let own = memberships.values.map(\.tenant)
        return TenantReach(
            condition: """
                t.id = \(current) OR (t.id IN \(members.map(\.tenant)) AND t.is_active)
                OR (t.id NOT IN \(own) AND (t.parent_id IN \(whole) OR EXISTS (
                    SELECT 1 FROM assignments a WHERE a.tenant_id = t.parent_id AND a.membership_id IN \(parts)
                        AND a.kind = 'client' AND a.target_id = t.id)))
                """)
    }

    private struct Membership {
        var id: MembershipID
        var tenant: TenantID
        var isActive: Bool
        var seesAll: Bool
        var permissions: [Permission] = []
    }

    private static func memberships(of user: UserID, _ transaction: any SQLTransaction) throws
        -> [MembershipID: Membership]
    {
        let rows = try transaction.rows(
            """
            SELECT m.id, m.tenant_id, m.is_active, m.visibility, mr.id AS grant_id, mr.built_in, r.permissions
            FROM memberships m
            LEFT JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
            LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
            WHERE m.user_id = \(user)
            """)
        var result: [MembershipID: Membership] = [:]
        for row in rows {
            let id = try row.get("id", as: MembershipID.self)
            var membership =
                try result[id]
                ?? Membership(
                    id: id, tenant: row.get("tenant_id"), isActive: row.get("is_active"),
                    seesAll: row.get("visibility", as: String.self) == "all")
            if try row.optional("grant_id", as: EntryID.self) != nil {
                membership.permissions += try Rights.granted(row)
            }
            result[id] = membership
        }
        return result
    }
}
