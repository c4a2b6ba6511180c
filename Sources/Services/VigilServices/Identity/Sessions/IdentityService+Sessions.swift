package import VigilModel
import VigilPorts

/// A session as its owner sees it in a list.
package struct SessionView: Codable, Sendable, Hashable {
    package var id: SessionID
    package var user: UserID
    package var kind: String
    package var tenant: TenantID
    package var panel: PanelID?
    package var address: String
    package var userAgent: String
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp
    package var expiresAt: Timestamp
    /// Whether it is the session that asks.
    package var isCurrent: Bool
}

extension IdentityService {
    /// The open sessions of a user, the latest first: one's own, or those of a member of the caller's tenant, as far as
    /// they act in this tenant.
    package func sessions(of user: String?, page: PageRequest, by principal: Principal) async throws
        -> Portion<SessionView>
    {
        let now = clock.now()
        let after = try page.cursor.map { try $0.text(at: 0) }
        let current: SessionID? = if case .user(_, let session) = principal.subject { session } else { nil }
        return try await read(by: principal) { tenant, transaction in
            var condition: SQL
            if let user {
                let member = try MemberRow.required(user, in: tenant, transaction)
                condition = "user_id = \(member.user.id) AND tenant_id = \(tenant)"
            } else {
                guard let own = principal.user else { return Portion(items: [], next: nil) }
                condition = "user_id = \(own)"
            }
            if let after { condition += " AND id < \(after)" }
            let rows = try transaction.rows(
                """
                SELECT id, user_id, kind, tenant_id, panel_id, address, user_agent, created_at, last_used_at, expires_at
                FROM sessions WHERE revoked_at IS NULL AND expires_at > \(now) AND \(condition)
                ORDER BY id DESC LIMIT \(page.limit + 1)
                """)
            let views = try rows.map { try SessionView($0, current: current) }
            return Portion(of: views, limit: page.limit) { [.string($0.id.description)] }
        }
    }

    /// Ends a session: one's own, or with `session:revoke` one that acts in the caller's tenant.
    ///
    /// Its tokens stop working, and its live sockets are closed.
    package func revokeSession(_ id: SessionID, by principal: Principal) async throws {
        let book = book()
        try await change(by: principal, forgetting: { [.session(id)] }) { change in
            let row = try change.transaction.rows(
                "SELECT user_id, tenant_id FROM sessions WHERE id = \(id) AND revoked_at IS NULL"
            ).first
            guard let row else { throw ServiceError.notFound("session") }
            let user = try row.get("user_id", as: UserID.self)
            let isOwn = if case .user(let own, _) = principal.subject { own == user } else { false }
            if !isOwn {
                guard try row.get("tenant_id", as: TenantID.self) == change.tenant,
                    principal.may(Permission("session", "revoke"))
                else { throw ServiceError.notFound("session") }
                try change.requireNotStronger(user)
            }
            try book.revoke(id, because: isOwn ? "signed_out" : "revoked", change.transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: principal, tenant: change.tenant, isOwn ? "sign_out" : "revoke", "session", id.description,
                    at: change.time),
                in: change.transaction)
        }
    }

    /// Ends all sessions of a member that act in the caller's tenant, or all of them when the account is kept here.
    ///
    /// - Returns: How many.
    package func revokeSessions(of reference: String, by principal: Principal) async throws -> Int {
        let book = book()
        let ended: [SessionID] = try await change(by: principal, forgetting: { $0.map(Forgotten.session) }) { change in
            let member = try MemberRow.required(reference, in: change.tenant, change.transaction)
            try change.requireNotStronger(member)
            var condition: SQL = "user_id = \(member.user.id)"
            if member.user.homeTenant != change.tenant { condition += " AND tenant_id = \(change.tenant)" }
            let current: SessionID? = if case .user(_, let session) = principal.subject { session } else { nil }
            let ended = try book.revokeAll(
                where: condition, except: current, because: "revoked", change.transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: principal, tenant: change.tenant, "revoke_sessions", "user", member.user.id.description,
                    at: change.time),
                in: change.transaction)
            return ended
        }
        return ended.count
    }

    /// Ends the session that the caller acts in.
    package func signOut(_ principal: Principal) async throws {
        guard case .user(_, let session) = principal.subject else { throw Self.noSession }
        try await revokeSession(session, by: principal)
    }

    /// Ends all sessions of the caller but the present one.
    ///
    /// - Returns: How many.
    package func revokeOtherSessions(_ principal: Principal) async throws -> Int {
        guard case .user(let user, let session) = principal.subject else { throw Self.noSession }
        let book = book()
        return try await change(by: principal, forgetting: { _ in [.user(user)] }) { change in
            try book.revokeAll(
                where: "user_id = \(user)", except: session, because: "signed_out", change.transaction
            ).count
        }
    }

    func book() -> SessionBook { SessionBook(settings: settings, time: clock.now()) }

    static let noSession = ServiceError(
        .conflict, "auth.no_session", "This is for people who signed in, not for tokens.")
}

extension SessionView {
    fileprivate init(_ row: SQLRow, current: SessionID?) throws {
        id = try row.get("id")
        user = try row.get("user_id")
        kind = try row.get("kind")
        tenant = try row.get("tenant_id")
        panel = try row.optional("panel_id", as: PanelID.self)
        address = try row.get("address")
        userAgent = try row.get("user_agent")
        createdAt = try row.get("created_at")
        lastUsedAt = try row.get("last_used_at")
        expiresAt = try row.get("expires_at")
        isCurrent = id == current
    }
}
