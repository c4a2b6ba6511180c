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
    /// The clients that somebody of a provider looks after; absent when there are none.
    package var clients: [String]?

    package init(
        seesAll: Bool, devices: [String] = [], locations: [String] = [], sites: [String] = [],
        clients: [String]? = nil
    ) {
        self.seesAll = seesAll
        self.devices = devices
        self.locations = locations
        self.sites = sites
        self.clients = clients
    }

    var count: Int { devices.count + locations.count + sites.count + (clients?.count ?? 0) }
}

extension IdentityService {
    /// What a member sees, of what the caller sees.
    package func assignments(of reference: String, by principal: Principal) async throws -> AssignmentsView {
        try await read(by: principal) { tenant, transaction in
            let member = try MemberRow.required(reference, in: tenant, transaction)
            let sight = try AssignerSight.of(principal, in: tenant, transaction)
            let targets = try AssignedTarget.all(of: member, in: tenant, transaction)
            return AssignmentsView(seesAll: member.seesAll, targets: targets.filter(sight.shows))
        }
    }

    /// Replaces what a member sees; it holds at once, for their open sessions and tokens too.
    ///
    /// Who sees a part of the tenant can show others what is in that part, and nobody can widen their own view.
    /// - Throws: `invalid` naming the list that has something unknown to the caller; `forbidden` for somebody who sees
    ///   more than the caller.
    package func assign(_ wanted: AssignmentsView, to reference: String, by principal: Principal) async throws
        -> AssignmentsView
    {
        guard wanted.count <= settings.assignmentsPerMember else {
            throw ServiceError(
                .tooMany, "assignment.limit", "At most \(settings.assignmentsPerMember) things can be assigned.")
        }
        let (_, view) = try await change(by: principal, forgetting: { [.user($0.0)] }) { change in
            let member = try MemberRow.required(reference, in: change.tenant, change.transaction)
            try change.requireGrant(of: [], seesAll: wanted.seesAll)
            try change.requireNotStronger(member)
            return (member.user.id, try change.replaceAssignments(of: member, wanted))
        }
        return view
    }
}

extension IdentityChange {
    fileprivate func replaceAssignments(of member: MemberRow, _ wanted: AssignmentsView) throws -> AssignmentsView {
        let sight = try AssignerSight.of(principal, in: tenant, transaction)
        let before = try AssignedTarget.all(of: member, in: tenant, transaction)
        // What is not to be seen is not to be taken away either.
        guard before.allSatisfy(sight.shows) else { throw Self.stronger }
        let targets = try AssignedTarget.find(wanted, in: tenant, sight, transaction)
        try transaction.execute(
            "DELETE FROM assignments WHERE tenant_id = \(tenant) AND membership_id = \(member.membership)")
        for target in targets { try assign(target, to: member.membership) }
        try transaction.execute(
            """
            UPDATE memberships SET visibility = \(wanted.seesAll ? String("all") : String("assigned")),
                updated_at = \(time)
            WHERE tenant_id = \(tenant) AND id = \(member.membership)
            """)
        let view = AssignmentsView(
            seesAll: wanted.seesAll, targets: try AssignedTarget.all(of: member, in: tenant, transaction))
        try record(
            "assign", "user", member.user.id.description, event: "user.updated",
            before: try JSONValue(describing: AssignmentsView(seesAll: member.seesAll, targets: before)),
            after: try JSONValue(describing: view))
        return view
    }

    /// Shows a member one thing more.
    func assign(_ target: AssignedTarget, to membership: MembershipID) throws {
        try transaction.execute(
            """
            INSERT INTO assignments (id, tenant_id, membership_id, kind, target_id, assigned_by, assigned_at)
            VALUES (\(EntryID(at: time)), \(tenant), \(membership), \(target.kind.rawValue), \(target.id), \(actor),
                \(time))
            """)
    }
}

extension AssignmentsView {
    fileprivate init(seesAll: Bool, targets: [AssignedTarget]) {
        self.init(seesAll: seesAll)
        for target in targets {
            // What is gone shows nothing.
            guard let code = target.code else { continue }
            switch target.kind {
            case .device: devices.append(code)
            case .location: locations.append(code)
            case .site: sites.append(code)
            case .client: clients = (clients ?? []) + [code]
            }
        }
    }
}
