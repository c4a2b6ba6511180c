import VigilModel
import VigilPorts

extension IdentityService {
    /// Exchanges a refresh token for a new access token and a new refresh token; the old ones end.
    ///
    /// Each refresh token works once. When one is shown again, either the one who shows it or the one who used it stole
    /// it, so the whole session ends.
    ///
    /// - Throws: `unauthenticated`: code `auth.reused` when the session was ended for that reason, else `auth.invalid`.
    package func refresh(_ shown: String, address: String) async throws -> SignedIn {
        guard let token = SecretToken(shown: shown), token.kind == .refresh else { throw Self.invalidCredential }
        let book = book()
        enum Outcome: Sendable {
            case refreshed(SignedIn)
            case reused(SessionID)
            case invalid
        }
        let outcome: Outcome = try await stores.relational.write(in: Self.everywhere) { transaction in
            if let refreshed = try book.refresh(token, transaction) { return .refreshed(refreshed) }
            let spent = try transaction.rows(
                "SELECT session_id FROM spent_refresh_tokens WHERE token_hash = \(token.hash)"
            ).first
            guard let session = try spent?.get("session_id", as: SessionID.self) else { return .invalid }
            if try book.revoke(session, because: "refresh_reuse", transaction) {
                try Self.noteReuse(of: session, address: address, at: book.time, transaction)
            }
            return .reused(session)
        }
        switch outcome {
        case .refreshed(let signedIn):
            await forget([.session(signedIn.session)])
            return signedIn
        case .reused(let session):
            await forget([.session(session)])
            throw ServiceError(
                .unauthenticated, "auth.reused", "This refresh token was used before. Sign in again.")
        case .invalid:
            throw Self.invalidCredential
        }
    }

    private static func noteReuse(
        of session: SessionID, address: String, at time: Timestamp, _ transaction: any SQLTransaction
    ) throws {
        let row = try transaction.rows("SELECT tenant_id FROM sessions WHERE id = \(session)").first
        try AuditTrail.record(
            AuditRecord(
                by: AuditActor(kind: .anonymous, id: nil, name: "anonymous", address: address),
                tenant: try row?.get("tenant_id", as: TenantID.self), "refresh_reused", "session",
                session.description, at: time),
            in: transaction)
    }
}

extension SessionBook {
    /// Rotates the tokens of the session that `token` belongs to; `nil` when it belongs to none that is open.
    func refresh(_ token: SecretToken, _ transaction: any SQLTransaction) throws -> SignedIn? {
        let row = try transaction.rows(
            """
            SELECT s.id, s.user_id, s.tenant_id, s.created_at, u.must_change_password
            FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE s.refresh_hash = \(token.hash) AND s.revoked_at IS NULL AND s.expires_at > \(time) AND u.is_active
            """
        ).first
        guard let row else { return nil }
        let session = try row.get("id", as: SessionID.self)
        let user = try row.get("user_id", as: UserID.self)
        let tenant = try row.get("tenant_id", as: TenantID.self)
        guard try Rights.of(user, in: tenant, transaction) != nil else { return nil }
        let access = SecretToken(.access)
        let refresh = SecretToken(.refresh)
        let expires = min(
            time + settings.sessionLife, try row.get("created_at", as: Timestamp.self) + Self.longestLife)
        let accessExpires = min(time + settings.accessLife, expires)
        try transaction.execute(
            """
            INSERT INTO spent_refresh_tokens (token_hash, session_id, spent_at)
            VALUES (\(token.hash), \(session), \(time))
            """)
        try transaction.execute(
            """
            UPDATE sessions SET access_hash = \(access.hash), access_expires_at = \(accessExpires),
                refresh_hash = \(refresh.hash), expires_at = \(expires), last_used_at = \(time)
            WHERE id = \(session)
            """)
        return SignedIn(
            session: session, user: user, tenant: tenant, kind: .api, accessToken: access.text,
            accessExpires: accessExpires, refreshToken: refresh.text, expires: expires,
            mustChangePassword: try row.get("must_change_password"))
    }
}
