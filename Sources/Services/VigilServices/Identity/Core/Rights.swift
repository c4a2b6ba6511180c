import VigilModel
import VigilPorts

/// What a person may do and see in one tenant, read within a transaction.
struct Rights: Sendable, Hashable {
    var permissions: [Permission]
    /// The membership that the rights come from; for people of a provider who act in a client, the provider's.
    var membership: MembershipID
    var seesAll: Bool
    /// The provider's tenant, when the rights come from there.
    var provider: TenantID?

    /// The rights of a user in a tenant; `nil` when there are none.
    ///
    /// Whoever is a member of the tenant has that membership's rights only. Others have rights when they are members of
    /// the tenant's provider with the permission `client:act`, and see all clients or are assigned to this one.
    static func of(_ user: UserID, in tenant: TenantID, _ transaction: any SQLTransaction) throws -> Rights? {
        let rows = try transaction.rows(
            """
            SELECT m.id, m.tenant_id, m.visibility, m.is_active,
                EXISTS (SELECT 1 FROM assignments a WHERE a.tenant_id = m.tenant_id AND a.membership_id = m.id
                    AND a.kind = 'client' AND a.target_id = t.id) AS has_client
            FROM tenants t JOIN memberships m ON m.tenant_id = t.id OR m.tenant_id = t.parent_id
            WHERE t.id = \(tenant) AND m.user_id = \(user) AND t.is_active
            """)
        func membership(_ row: SQLRow) throws -> Rights {
            let id = try row.get("id", as: MembershipID.self)
            let owner = try row.get("tenant_id", as: TenantID.self)
            return Rights(
                permissions: try permissions(of: id, tenant: owner, transaction), membership: id,
                seesAll: try row.get("visibility", as: String.self) == "all",
                provider: owner == tenant ? nil : owner)
        }
        if let own = try rows.first(where: { try $0.get("tenant_id", as: TenantID.self) == tenant }) {
            return try own.get("is_active", as: Bool.self) ? try membership(own) : nil
        }
        guard let row = rows.first, try row.get("is_active", as: Bool.self) else { return nil }
        var rights = try membership(row)
        guard rights.permissions.allow(Permission("client", "act")) else { return nil }
        guard try rights.seesAll || row.get("has_client", as: Bool.self) else { return nil }
        rights.seesAll = true
        return rights
    }

    /// The permissions of all roles of a membership, each once.
    static func permissions(of membership: MembershipID, tenant: TenantID, _ transaction: any SQLTransaction) throws
        -> [Permission]
    {
        let rows = try transaction.rows(
            """
            SELECT mr.built_in, r.permissions FROM membership_roles mr
            LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
            WHERE mr.tenant_id = \(tenant) AND mr.membership_id = \(membership)
            """)
        var result: [Permission] = []
        for row in rows {
            for permission in try granted(row) where !result.contains(permission) { result.append(permission) }
        }
        return result
    }

    /// What a membership sees, with assignments to places written out as of now.
    func scope(in tenant: TenantID, _ transaction: any SQLTransaction) throws -> AccessScope {
        if seesAll { return AccessScope(tenant: tenant) }
        let locations = try transaction.rows(Self.assignedLocations(of: membership, tenant: tenant))
        let devices = try transaction.rows(Self.assignedDevices(of: membership, tenant: tenant))
        return AccessScope(
            tenant: tenant,
            visibility: .assigned(
                devices: Set(try devices.map { try $0.get("id", as: DeviceID.self) }),
                locations: Set(try locations.map { try $0.get("id", as: LocationID.self) })))
    }

    /// `WITH RECURSIVE visible(id)`: the assigned locations, all of assigned sites, and everything below.
    private static func visibleLocations(of membership: MembershipID, tenant: TenantID) -> SQL {
        """
        WITH RECURSIVE visible(id) AS (
            SELECT l.id FROM assignments a JOIN locations l ON l.tenant_id = a.tenant_id AND l.id = a.target_id
            WHERE a.tenant_id = \(tenant) AND a.membership_id = \(membership) AND a.kind = 'location'
            UNION
            SELECT l.id FROM assignments a JOIN locations l ON l.tenant_id = a.tenant_id AND l.site_id = a.target_id
            WHERE a.tenant_id = \(tenant) AND a.membership_id = \(membership) AND a.kind = 'site'
            UNION
            SELECT l.id FROM visible v JOIN locations l ON l.tenant_id = \(tenant) AND l.parent_id = v.id
        )
        """
    }

    private static func assignedLocations(of membership: MembershipID, tenant: TenantID) -> SQL {
        visibleLocations(of: membership, tenant: tenant) + " SELECT id FROM visible"
    }

    private static func assignedDevices(of membership: MembershipID, tenant: TenantID) -> SQL {
        visibleLocations(of: membership, tenant: tenant) + """
             SELECT d.id FROM assignments a JOIN devices d ON d.tenant_id = a.tenant_id AND d.id = a.target_id
            WHERE a.tenant_id = \(tenant) AND a.membership_id = \(membership) AND a.kind = 'device'
            UNION
            SELECT d.id FROM assignments a JOIN devices d ON d.tenant_id = a.tenant_id AND d.site_id = a.target_id
            WHERE a.tenant_id = \(tenant) AND a.membership_id = \(membership) AND a.kind = 'site'
            UNION
            SELECT d.id FROM visible v JOIN devices d ON d.tenant_id = \(tenant) AND d.location_id = v.id
            """
    }
}

extension JSONValue {
    /// A stored list of permissions.
    ///
    /// What is not one any more grants nothing.
    var permissionList: [Permission] {
        (elements ?? []).compactMap { $0.text.flatMap(Permission.init) }
    }
}

extension [Permission] {
    var json: JSONValue { .array(map { .string($0.description) }) }
}
