package import VigilModel
import VigilPorts

/// Who is signed in, with what they may do.
package struct AccountView: Codable, Sendable, Hashable {
    package var name: String
    package var tenant: TenantID?
    package var tenantCode: String?
    package var tenantName: String?
    package var permissions: [Permission]
    package var user: UserView?
}

extension IdentityService {
    /// The caller's own account.
    package func account(of principal: Principal) async throws -> AccountView {
        try await read(by: principal) { tenant, transaction in
            let row = try transaction.rows("SELECT code, name FROM tenants WHERE id = \(tenant)").first
            let member = try principal.user.flatMap {
                try MemberRow.list("u.id = \($0)", in: tenant, limit: 1, transaction).first
            }
            return AccountView(
                name: principal.name, tenant: tenant, tenantCode: try row?.get("code"),
                tenantName: try row?.get("name"), permissions: principal.permissions, user: member.map(UserView.init))
        }
    }

    /// Changes the caller's own password; all their other sessions end.
    ///
    /// - Throws: `forbidden`, code `auth.wrong_password`, when the present one is wrong.
    package func changePassword(current: String, new: String, by principal: Principal) async throws {
        guard case .user(let id, let session) = principal.subject else { throw Self.noSession }
        try checkPassword(new, field: "new")
        let stored = try await stores.relational.read(in: Self.everywhere) { try UserRow.find(id, $0)?.passwordHash }
        let hash = try await hasher.withPlace { place in
            guard try await place.verify(Array(current.utf8), against: stored) else {
                throw ServiceError(.forbidden, "auth.wrong_password", "The present password is wrong.")
            }
            return try await place.hash(Array(new.utf8))
        }
        let book = book()
        try await change(by: principal, forgetting: { _ in [.user(id)] }) { change in
            try change.transaction.execute(
                """
                UPDATE users SET password_hash = \(hash), must_change_password = \(false), version = version + 1,
                    updated_at = \(change.time)
                WHERE id = \(id)
                """)
            try book.revokeAll(
                where: "user_id = \(id)", except: session, because: "password_changed", change.transaction)
            try change.record("change_password", "user", id.description, event: "user.updated")
        }
    }

    /// Makes the secret by which a forgotten password can be replaced, once and within an hour.
    ///
    /// It goes to the person by an outbox message that holds it sealed, and nowhere else. Nothing tells whether there is
    /// such an account.
    package func requestPasswordReset(of name: String) async throws {
        let now = clock.now()
        let key = name.lowercased()
        let token = SecretToken(.reset)
        let sealed = try mailBox.seal(Array(token.text.utf8), for: "password_reset")
        let expires = now + settings.resetLife
        try await stores.relational.write(in: Self.everywhere) { transaction in
            let row = try transaction.rows(
                """
                SELECT id, home_tenant_id FROM users
                WHERE (username_key = \(key) OR email_key = \(key)) AND is_active AND deleted_at IS NULL
                """
            ).first
            guard let row else { return }
            let id = try row.get("id", as: UserID.self)
            try transaction.execute(
                """
                INSERT INTO password_resets (token_hash, user_id, expires_at, created_at)
                VALUES (\(token.hash), \(id), \(expires), \(now))
                """)
            try transaction.appendToOutbox(
                OutboxMessage(
                    tenant: try row.get("home_tenant_id", as: TenantID.self), type: "user.password_reset",
                    aggregate: "user", aggregateID: id.description,
                    data: .object(["sealed": .string(Base64URL.encode(sealed))]), time: now))
        }
    }

    /// Replaces a forgotten password by the secret that was sent; it works once, and ends all sessions.
    package func resetPassword(_ shown: String, new: String) async throws {
        try checkPassword(new, field: "password")
        guard let token = SecretToken(shown: shown), token.kind == .reset else { throw Self.invalidReset }
        let now = clock.now()
        let hash = try await hasher.withPlace { place in try await place.hash(Array(new.utf8)) }
        let book = book()
        let user = try await stores.relational.write(in: Self.everywhere) { transaction -> UserID in
            let row = try transaction.rows(
                """
                SELECT user_id FROM password_resets
                WHERE token_hash = \(token.hash) AND used_at IS NULL AND expires_at > \(now)
                """
            ).first
            guard let row else { throw Self.invalidReset }
            let user = try row.get("user_id", as: UserID.self)
            try transaction.execute("UPDATE password_resets SET used_at = \(now) WHERE token_hash = \(token.hash)")
            try transaction.execute(
                """
                UPDATE users SET password_hash = \(hash), must_change_password = \(false), version = version + 1,
                    updated_at = \(now)
                WHERE id = \(user)
                """)
            try book.revokeAll(where: "user_id = \(user)", because: "password_reset", transaction)
            return user
        }
        await forget([.user(user)])
    }

    private static let invalidReset = ServiceError(
        .invalid, "auth.reset", "The link is not valid, or was used, or is too old.")
}
