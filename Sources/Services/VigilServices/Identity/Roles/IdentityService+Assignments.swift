import VigilModel
import VigilPorts

/// What a member sees: everything, or only what is assigned.
package struct AssignmentsView: Codable, Sendable, Hashable {
    package var seesAll: Bool
    /// Codes or identifiers when they are set, codes when they are read.
    package var devices: [String]
    /// Each with all locations below it.
    package var locations: [String]
    /// Each with everything in it.
    package var sites: [String]

    package init(seesAll: Bool, devices: [String] = [], locations: [String] = [], sites: [String] = []) {
        self.seesAll = seesAll
        self.devices = devices
        self.locations = locations
        self.sites = sites
    }
}

extension IdentityService {
    /// Things assigned to one member.
    static let assignmentsMax = 1_000

    /// What a member sees.
    package func assignments(of reference: String, by principal: Principal) async throws -> AssignmentsView {
        try await read(by: principal) { tenant, transaction in
            let member = try MemberRow.required(reference, in: tenant, transaction)
            return try Self.assignments(of: member, in: tenant, transaction)
        }
    }

    /// Replaces what a member sees; it holds at once, for their open sessions and tokens too.
    ///
    /// - Throws: `invalid` naming the list that has something unknown; `forbidden` when the caller does not see it.
    package func assign(_ wanted: AssignmentsView, to reference: String, by principal: Principal) async throws
        -> AssignmentsView
    {
        guard wanted.devices.count + wanted.locations.count + wanted.sites.count <= Self.assignmentsMax else {
            throw ServiceError(.tooMany, "assignment.limit", "At most \(Self.assignmentsMax) things can be assigned.")
        }
        let (_, view) = try await change(by: principal, forgetting: { [.user($0.0)] }) { change in
            let (transaction, tenant) = (change.transaction, change.tenant)
            let member = try MemberRow.required(reference, in: tenant, transaction)
            let before = try Self.assignments(of: member, in: tenant, transaction)
            try change.requireGrant(of: [], seesAll: wanted.seesAll)
            let lists: [(kind: String, table: SQL, field: String, names: [String])] = [
                ("device", "devices", "devices", wanted.devices),
                ("location", "locations", "locations", wanted.locations), ("site", "sites", "sites", wanted.sites),
            ]
            try transaction.execute(
                "DELETE FROM assignments WHERE tenant_id = \(tenant) AND membership_id = \(member.membership) AND kind <> 'client'"
            )
            for list in lists {
                for name in Set(list.names).sorted() {
                    guard
                        let id = try transaction.rows(
                            "SELECT id FROM \(list.table) WHERE tenant_id = \(tenant) AND \(SQL.named(name))"
                        ).first?.get("id", as: String.self)
                    else { throw ServiceError.invalid(list.field, "names something unknown") }
                    try transaction.execute(
                        """
                        INSERT INTO assignments (id, tenant_id, membership_id, kind, target_id, assigned_by, assigned_at)
                        VALUES (\(EntryID(at: change.time)), \(tenant), \(member.membership), \(list.kind), \(id),
                            \(change.actor), \(change.time))
                        """)
                }
            }
            try transaction.execute(
                """
                UPDATE memberships SET visibility = \(wanted.seesAll ? String("all") : String("assigned")),
                    updated_at = \(change.time)
                WHERE tenant_id = \(tenant) AND id = \(member.membership)
                """)
            let after = try Self.assignments(of: member.seeing(all: wanted.seesAll), in: tenant, transaction)
            try change.record(
                "assign", "user", member.user.id.description, event: "user.updated",
                before: try JSONValue(describing: before), after: try JSONValue(describing: after))
            return (member.user.id, after)
        }
        return view
    }

    private static func assignments(of member: MemberRow, in tenant: TenantID, _ transaction: any SQLTransaction)
        throws -> AssignmentsView
    {
        var view = AssignmentsView(seesAll: member.seesAll)
        let rows = try transaction.rows(
            """
            SELECT a.kind, coalesce(d.code, l.code, s.code) AS code FROM assignments a
            LEFT JOIN devices d ON a.kind = 'device' AND d.tenant_id = a.tenant_id AND d.id = a.target_id
            LEFT JOIN locations l ON a.kind = 'location' AND l.tenant_id = a.tenant_id AND l.id = a.target_id
            LEFT JOIN sites s ON a.kind = 'site' AND s.tenant_id = a.tenant_id AND s.id = a.target_id
            WHERE a.tenant_id = \(tenant) AND a.membership_id = \(member.membership) ORDER BY code NULLS LAST
            """)
        for row in rows {
            // What is gone shows nothing.
            guard let code = try row.optional("code", as: String.self) else { continue }
            switch try row.get("kind", as: String.self) {
            case "device": view.devices.append(code)
            case "location": view.locations.append(code)
            case "site": view.sites.append(code)
            default: break
            }
        }
        return view
    }
}

extension MemberRow {
    fileprivate func seeing(all: Bool) -> MemberRow {
        var member = self
        member.seesAll = all
        return member
    }
}
