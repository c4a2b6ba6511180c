import VigilModel
import VigilPorts

/// Something that a member is assigned to.
struct AssignedTarget: Sendable, Hashable {
    enum Kind: String, Sendable {
        case device
        case location
        case site
        case client
    }

    var kind: Kind
    var id: EntryID
    /// `nil` for what is gone.
    var code: String?

    /// What a membership is assigned to, by code.
    static func all(of member: MemberRow, in tenant: TenantID, _ transaction: any SQLTransaction) throws
        -> [AssignedTarget]
    {
        let rows = try transaction.rows(
            """
            SELECT a.kind, a.target_id, coalesce(d.code, l.code, s.code, c.code) AS code FROM assignments a
            LEFT JOIN devices d ON a.kind = 'device' AND d.tenant_id = a.tenant_id AND d.id = a.target_id
            LEFT JOIN locations l ON a.kind = 'location' AND l.tenant_id = a.tenant_id AND l.id = a.target_id
            LEFT JOIN sites s ON a.kind = 'site' AND s.tenant_id = a.tenant_id AND s.id = a.target_id
            LEFT JOIN tenants c ON a.kind = 'client' AND c.parent_id = a.tenant_id AND c.id = a.target_id
            WHERE a.tenant_id = \(tenant) AND a.membership_id = \(member.membership) ORDER BY code NULLS LAST
            """)
        return try rows.compactMap { row in
            guard let kind = Kind(rawValue: try row.get("kind")) else { return nil }
            return AssignedTarget(kind: kind, id: try row.get("target_id"), code: try row.optional("code"))
        }
    }

    /// The things that somebody who sees `sight` names.
    ///
    /// - Throws: `invalid` naming the list that has something that is not there, or not to be seen.
    static func find(
        _ wanted: AssignmentsView, in tenant: TenantID, _ sight: AssignerSight, _ transaction: any SQLTransaction
    ) throws -> [AssignedTarget] {
        let owned: SQL = "tenant_id = \(tenant)"
        let lists: [(kind: Kind, table: SQL, field: String, owner: SQL, names: [String])] = [
            (.device, "devices", "devices", owned + " AND deleted_at IS NULL", wanted.devices),
            (.location, "locations", "locations", owned, wanted.locations),
            (.site, "sites", "sites", owned, wanted.sites),
            (.client, "tenants", "clients", "parent_id = \(tenant)", wanted.clients ?? []),
        ]
        var targets: [AssignedTarget] = []
        for list in lists {
            for name in Set(list.names).sorted() {
                let row = try transaction.rows(
                    "SELECT id, code FROM \(list.table) WHERE \(list.owner) AND \(SQL.named(name))"
                ).first
                let target = try row.map {
                    AssignedTarget(kind: list.kind, id: try $0.get("id"), code: try $0.optional("code"))
                }
                guard let target, sight.shows(target) else {
                    throw ServiceError.invalid(list.field, "names something unknown")
                }
                // One thing may be named by its code and by its identifier.
                if !targets.contains(target) { targets.append(target) }
            }
        }
        return targets
    }
}

/// What the one who assigns sees, and so may show.
struct AssignerSight: Sendable {
    private var scope: AccessScope?
    /// The sites and clients that are assigned whole; a part of a site is not the site.
    private var wholes: Set<EntryID> = []

    static func of(_ principal: Principal, in tenant: TenantID, _ transaction: any SQLTransaction) throws
        -> AssignerSight
    {
        var sight = AssignerSight(scope: principal.scope)
        guard principal.scope?.visibility != .all, case .user(let user, _) = principal.subject else { return sight }
        let rows = try transaction.rows(
            """
            SELECT a.target_id FROM assignments a JOIN memberships m ON m.tenant_id = a.tenant_id
                AND m.id = a.membership_id
            WHERE a.tenant_id = \(tenant) AND m.user_id = \(user) AND a.kind IN ('site', 'client')
            """)
        sight.wholes = Set(try rows.map { try $0.get("target_id", as: EntryID.self) })
        return sight
    }

    func shows(_ target: AssignedTarget) -> Bool {
        guard let scope else { return false }
        if scope.visibility == .all { return true }
        switch target.kind {
        case .device: return scope.shows(DeviceID(high: target.id.high, low: target.id.low))
        case .location: return scope.shows(LocationID(high: target.id.high, low: target.id.low))
        case .site, .client: return wholes.contains(target.id)
        }
    }
}
