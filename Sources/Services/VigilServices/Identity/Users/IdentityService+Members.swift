import VigilModel
import VigilPorts

extension IdentityService {
    /// Makes an account that is there a member of one tenant more: what the command line on this machine may do without
    /// asking; over the network it takes an invitation that the person accepts.
    ///
    /// - Throws: `notFound` for a name that nobody has; `conflict`, code `member.there`.
    package func addLocalMember(tenant: String, username: String, roles: [String]) async throws -> UserView {
        let principal = try await localPrincipal(tenant: tenant)
        return try await change(by: principal, forgetting: { [.user($0.id)] }) { change in
            let row = try change.transaction.rows(
                """
                SELECT \(UserRow.columns) FROM users u
                WHERE u.username_key = \(username.lowercased()) AND u.deleted_at IS NULL
                """
            ).first
            guard let row else { throw ServiceError.notFound("user") }
            return try change.addMember(try UserRow(row).id, roles: roles, seesAll: true)
        }
    }

    /// Takes somebody out of the caller's tenant: those whose account it keeps are deleted, of others only the membership
    /// ends.
    ///
    /// Their sessions end and their tokens are revoked. A deleted account stays as a row, because the audit trail names
    /// it; its name and address are free again.
    /// - Throws: `conflict`, code `user.self` or `user.last_admin`; `forbidden`, code `user.stronger`.
    package func removeUser(_ reference: String, by principal: Principal) async throws {
        let book = book()
        _ = try await change(by: principal, forgetting: { [.user($0)] }) { change in
            let member = try MemberRow.required(reference, in: change.tenant, change.transaction)
            guard member.user.id != principal.user else {
                throw ServiceError(.conflict, "user.self", "Nobody deletes themselves.")
            }
            let isHome = member.user.homeTenant == change.tenant
            try change.requireNotStronger(member, everywhere: isHome)
            try change.endAccess(of: member, everywhere: isHome, book)
            if isHome {
                try change.deleteAccount(of: member)
            } else {
                try change.transaction.execute(
                    "DELETE FROM memberships WHERE tenant_id = \(change.tenant) AND id = \(member.membership)")
            }
            if member.isInCharge { try change.requireSomebodyInCharge() }
            try change.record(
                isHome ? "delete" : "remove", "user", member.user.id.description, event: "user.deleted",
                before: try JSONValue(describing: UserView(member)))
            return member.user.id
        }
    }

    /// Lets the caller's session act in another tenant from now on: one of their own, or a client they look after.
    ///
    /// - Throws: `notFound` for a tenant where they have no rights; `conflict`, code `auth.panel`, on a panel.
    package func switchTenant(to reference: String, by principal: Principal) async throws -> AccountView {
        guard case .user(let user, let session) = principal.subject else { throw Self.noSession }
        let time = clock.now()
        try await change(by: principal, forgetting: { [.session(session)] }) { change in
            guard let tenant = try Self.tenant(reference, change.transaction),
                try Rights.of(user, in: tenant, change.transaction) != nil
            else { throw ServiceError.notFound("tenant") }
            let row = try change.transaction.rows("SELECT panel_id FROM sessions WHERE id = \(session)").first
            guard try row?.optional("panel_id", as: PanelID.self) == nil else {
                throw ServiceError(.conflict, "auth.panel", "A panel belongs to one organisation.")
            }
            try change.transaction.execute("UPDATE sessions SET tenant_id = \(tenant) WHERE id = \(session)")
            for place in Set([tenant, change.tenant]) {
                try AuditTrail.record(
                    AuditRecord(
                        by: principal, tenant: place, "switch_tenant", "session", session.description, at: time),
                    in: change.transaction)
            }
            // Whoever looks at this session's sockets sees that it is elsewhere now.
            try change.transaction.appendToOutbox(
                OutboxMessage(
                    tenant: change.tenant, type: "user.switched", aggregate: "user", aggregateID: user.description,
                    data: .object(["id": .string(user.description)]), time: time))
        }
        guard let now = try await current(principal) else { throw Self.invalidCredential }
        return try await account(of: now)
    }
}

extension IdentityChange {
    /// Makes an account a member of this tenant.
    func addMember(_ user: UserID, roles: [String], seesAll: Bool, action: String = "add") throws -> UserView {
        try requireGrant(of: [], seesAll: seesAll)
        guard
            try transaction.rows("SELECT id FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user)").isEmpty
        else { throw ServiceError(.conflict, "member.there", "This account is a member already.") }
        let membership = MembershipID(at: time)
        try transaction.execute(
            """
            INSERT INTO memberships (id, tenant_id, user_id, visibility, is_active, created_at, updated_at)
            VALUES (\(membership), \(tenant), \(user), \(seesAll ? String("all") : String("assigned")), \(true),
                \(time), \(time))
            """)
        try setRoles(roles, of: membership, seesAll: seesAll)
        let view = UserView(try MemberRow.required(user.description, in: tenant, transaction))
        try record(
            action, "user", user.description, event: "user.created", after: try JSONValue(describing: view))
        return view
    }

    /// Ends sessions, tokens and links of somebody, here or everywhere.
    fileprivate func endAccess(of member: MemberRow, everywhere: Bool, _ book: SessionBook) throws {
        let place: SQL = everywhere ? "" as SQL : " AND tenant_id = \(tenant)"
        try book.revokeAll(
            where: "user_id = \(member.user.id)" + place, because: "user_deleted", transaction)
        let tokens = try transaction.rows(
            "SELECT id, tenant_id FROM tokens WHERE user_id = \(member.user.id) AND revoked_at IS NULL" + place)
        for row in tokens {
            let (id, owner) = (try row.get("id", as: TokenID.self), try row.get("tenant_id", as: TenantID.self))
            try transaction.execute(
                "UPDATE tokens SET revoked_at = \(time) WHERE tenant_id = \(owner) AND id = \(id)")
            try record("revoke", "token", id.description, event: "token.revoked", tenant: owner)
        }
        try transaction.execute(
            "DELETE FROM invitations WHERE invited_by = \(member.user.id) AND accepted_at IS NULL" + place)
    }

    fileprivate func deleteAccount(of member: MemberRow) throws {
        let id = member.user.id
        try transaction.execute(
            "UPDATE password_resets SET used_at = \(time) WHERE user_id = \(id) AND used_at IS NULL")
        try transaction.execute("DELETE FROM memberships WHERE user_id = \(id)")
        try transaction.execute(
            """
            UPDATE users SET username_key = \(id.description), email_key = NULL, email = NULL, phone = NULL,
                password_hash = NULL, pin_hash = NULL, is_active = \(false), deleted_at = \(time),
                version = version + 1, updated_at = \(time)
            WHERE id = \(id)
            """)
    }
}
