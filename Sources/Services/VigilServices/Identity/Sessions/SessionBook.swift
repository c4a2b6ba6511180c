import VigilModel
import VigilPorts

/// Opens, refreshes and ends sessions, within a transaction.
struct SessionBook: Sendable {
    let settings: IdentitySettings
    let time: Timestamp

    /// The absolute end of a session that is refreshed again and again.
    static let longestLife = Span.days(365)

    /// Begins a session and notes the sign-in.
    ///
    /// The oldest session of a user who has too many is ended.
    func open(
        for user: UserRow, in tenant: TenantID, kind: SignInRequest.SessionKind, panel: PanelID?, address: String,
        userAgent: String, _ transaction: any SQLTransaction
    ) throws -> SignedIn {
        let id = SessionID(at: time)
        let access = SecretToken(.access)
        let refresh = kind == .api ? SecretToken(.refresh) : nil
        let expires = time + settings.sessionLife
        let accessExpires = kind == .api ? time + settings.accessLife : expires
        try transaction.execute(
            """
            INSERT INTO sessions (id, user_id, tenant_id, panel_id, kind, access_hash, access_expires_at, refresh_hash,
                expires_at, address, user_agent, created_at, last_used_at)
            VALUES (\(id), \(user.id), \(tenant), \(panel), \(kind.rawValue), \(access.hash), \(accessExpires),
                \(refresh?.hash), \(expires), \(address), \(String(userAgent.prefix(256))), \(time), \(time))
            """)
        try transaction.execute("UPDATE users SET last_login_at = \(time) WHERE id = \(user.id)")
        if let panel {
            try transaction.execute("UPDATE panels SET last_used_at = \(time) WHERE id = \(panel)")
        }
        try endOldest(of: user.id, transaction)
        return SignedIn(
            session: id, user: user.id, tenant: tenant, kind: kind, accessToken: access.text,
            accessExpires: accessExpires, refreshToken: refresh?.text, expires: expires,
            mustChangePassword: user.mustChangePassword)
    }

    private func endOldest(of user: UserID, _ transaction: any SQLTransaction) throws {
        let surplus = try transaction.rows(
            """
            SELECT id FROM sessions WHERE user_id = \(user) AND revoked_at IS NULL AND expires_at > \(time)
            ORDER BY id DESC LIMIT 100 OFFSET \(settings.sessionsPerUser)
            """)
        for row in surplus { try revoke(row.get("id"), because: "too_many", transaction) }
    }

    /// Ends a session, and tells those who hold its sockets.
    ///
    /// - Returns: Whether it was still open.
    @discardableResult
    func revoke(_ session: SessionID, because reason: String, _ transaction: any SQLTransaction) throws -> Bool {
        let row = try transaction.rows(
            "SELECT user_id, tenant_id FROM sessions WHERE id = \(session) AND revoked_at IS NULL"
        ).first
        guard let row else { return false }
        try transaction.execute(
            "UPDATE sessions SET revoked_at = \(time), revoked_reason = \(reason) WHERE id = \(session)")
        let user = try row.get("user_id", as: UserID.self)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: try row.get("tenant_id", as: TenantID.self), type: "session.revoked", aggregate: "session",
                aggregateID: session.description,
                data: .object([
                    "session": .string(session.description), "user": .string(user.description),
                    "reason": .string(reason),
                ]), time: time))
        return true
    }

    /// Ends all open sessions that `condition` (on `sessions`) names, but `kept`.
    ///
    /// - Returns: Those that were ended.
    @discardableResult
    func revokeAll(
        where condition: SQL, except kept: SessionID? = nil, because reason: String,
        _ transaction: any SQLTransaction
    ) throws -> [SessionID] {
        let rows = try transaction.rows("SELECT id FROM sessions WHERE revoked_at IS NULL AND " + condition)
        let ids = try rows.map { try $0.get("id", as: SessionID.self) }.filter { $0 != kept }
        for id in ids { try revoke(id, because: reason, transaction) }
        return ids
    }
}
