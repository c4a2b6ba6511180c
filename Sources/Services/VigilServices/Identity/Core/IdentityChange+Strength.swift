import VigilModel
import VigilPorts

extension IdentityChange {
    /// Refuses to touch somebody who may do or see more than the caller: else whoever looks after people could sign in
    /// as their own administrator.
    ///
    /// - Parameter everywhere: Also compares with what the account may do in other tenants, for what concerns the
    ///   account itself: its address, its secret, its end.
    /// - Throws: `forbidden`, code `user.stronger`.
    func requireNotStronger(_ member: MemberRow, everywhere: Bool = false) throws {
        guard member.user.id != principal.user else { return }
        var permissions = try Rights.permissions(of: member.membership, tenant: tenant, transaction)
        if everywhere { permissions += try Rights.permissionsEverywhere(of: member.user.id, transaction) }
        guard principal.permissions.mayGrant(permissions), seesAll || !member.seesAll else { throw Self.stronger }
    }

    /// The same for a person who acts here, as a member or as staff of the tenant's provider.
    func requireNotStronger(_ user: UserID) throws {
        guard user != principal.user, let rights = try Rights.of(user, in: tenant, transaction) else { return }
        guard principal.permissions.mayGrant(rights.permissions) else { throw Self.stronger }
    }

    /// Refuses to change the account of somebody whom another organisation keeps.
    ///
    /// - Throws: `forbidden`, code `user.elsewhere`.
    func requireAccountHere(_ user: UserRow) throws {
        guard user.id == principal.user || user.homeTenant == tenant else {
            throw ServiceError(
                .forbidden, "user.elsewhere",
                "Another organisation keeps this account; here only the membership can be changed.")
        }
    }

    /// Whether the caller sees all of the tenant.
    var seesAll: Bool { principal.scope?.visibility == .all }

    static let stronger = ServiceError(
        .forbidden, "user.stronger", "Nobody changes somebody who may do or see more than they do.")
}

extension Rights {
    /// Everything that a user may do in any tenant.
    static func permissionsEverywhere(of user: UserID, _ transaction: any SQLTransaction) throws -> [Permission] {
        let rows = try transaction.rows(
            """
            SELECT DISTINCT mr.built_in, r.permissions FROM memberships m
            JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
            LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
            WHERE m.user_id = \(user)
            """)
        return try rows.flatMap(Self.granted)
    }

    /// What one row of `membership_roles` with its role grants.
    static func granted(_ row: SQLRow) throws -> [Permission] {
        if let code = try row.optional("built_in", as: String.self) {
            return BuiltInRole(rawValue: code)?.permissions ?? []
        }
        return try row.get("permissions", as: JSONValue.self).permissionList
    }
}
