package import VigilModel
import VigilPorts

/// A link by which somebody sets a new password, at the only moment when it is known.
package struct ResetLink: Codable, Sendable {
    package var username: String
    /// The secret that is shown to set the password.
    package var token: String
    package var expires: Timestamp
    /// Where people reach the server, without a slash at the end, if that is known.
    package var address: String?
}

extension IdentityService {
    /// Links of one account within ``IdentitySettings/resetLife``.
    static let resetsPerUser = 3
    /// Questions for links from one address within ten minutes.
    static let resetsPerAddress = 20

    /// Asks for a link by which a forgotten password can be replaced, once and within an hour.
    ///
    /// The answer and its time are the same for every name: whether there is such an account is looked up later, by
    /// ``sendNextReset()``.
    /// - Throws: `tooMany`, code `auth.reset_rate`, for too many questions from one address.
    package func requestPasswordReset(of name: String, address: String) async throws {
        guard (1...254).contains(name.utf8.count) else {
            throw ServiceError.invalid("username", "must have 1 to 254 bytes")
        }
        let decision = try await stores.limits.admit(
            "identity.reset/\(AddressKey.of(address))", limit: Self.resetsPerAddress, per: .minutes(10))
        guard decision.isAllowed else {
            throw ServiceError(
                .tooMany, "auth.reset_rate", "Too many links were asked for. Try again later.",
                retryAfter: max(.seconds(1), decision.retryAfter))
        }
        await resets.add(name)
    }

    /// Looks up the next name for which a link was asked, and sends it.
    ///
    /// - Returns: Whether one was waiting.
    @discardableResult
    package func sendNextReset() async throws -> Bool {
        guard let name = await resets.take() else { return false }
        guard let mail else { return true }
        let now = clock.now()
        let key = name.lowercased()
        let draft = try await stores.relational.write(in: Self.everywhere) {
            [self] transaction -> (String, SecretToken)? in
            let user = try transaction.rows(
                """
                SELECT \(UserRow.columns) FROM users u
                WHERE (u.username_key = \(key) OR u.email_key = \(key)) AND u.is_active AND u.deleted_at IS NULL
                """
            ).first.map(UserRow.init)
            guard let user, user.authMethod == .password, let email = user.email else { return nil }
            let recent: Int = try transaction.rows(
                """
                SELECT count(*) AS n FROM password_resets
                WHERE user_id = \(user.id) AND created_at > \(now - settings.resetLife)
                """)[0].get("n")
            guard recent < Self.resetsPerUser else { return nil }
            return (email, try addReset(of: user, by: .system("identity.reset"), at: now, transaction))
        }
        guard let (address, token) = draft else { return true }
        try await mail.send(
            MailMessage(
                to: address, subject: "A new password for Vigil",
                text: """
                    Somebody asked for a new password for your account. If it was you, open this within an hour:

                    \(link("/reset?token=" + token.text))

                    If it was not you, do nothing: your password stays as it is.
                    """))
        return true
    }

    /// Makes a link for a member of a tenant: for the command line on this machine, which hands it over.
    package func createLocalReset(tenant: String, username: String) async throws -> ResetLink {
        let principal = try await localPrincipal(tenant: tenant)
        return try await change(by: principal) { [settings] change in
            let member = try MemberRow.required(username, in: change.tenant, change.transaction)
            guard member.user.homeTenant == change.tenant else { throw ServiceError.notFound("user") }
            let token = try self.addReset(
                of: member.user, by: AuditActor(principal), at: change.time, change.transaction)
            return ResetLink(
                username: member.user.username, token: token.text, expires: change.time + settings.resetLife,
                address: settings.publicAddress)
        }
    }

    private func addReset(of user: UserRow, by actor: AuditActor, at now: Timestamp, _ transaction: any SQLTransaction)
        throws -> SecretToken
    {
        let token = SecretToken(.reset)
        try transaction.execute(
            """
            INSERT INTO password_resets (token_hash, user_id, expires_at, created_at)
            VALUES (\(token.hash), \(user.id), \(now + settings.resetLife), \(now))
            """)
        try AuditTrail.record(
            AuditRecord(by: actor, tenant: user.homeTenant, "reset_link", "user", user.id.description, at: now),
            in: transaction)
        return token
    }

    /// Replaces a forgotten password by the secret that was sent; it works once, and ends all sessions and other links.
    ///
    /// - Throws: `invalid`, code `auth.reset`, before any hashing, for a secret that is none, or of an account that is
    ///   not active.
    package func resetPassword(_ shown: String, new: String, address: String) async throws {
        try checkPassword(new, field: "password")
        guard let token = SecretToken(shown: shown), token.kind == .reset else { throw Self.invalidReset }
        let now = clock.now()
        let isKnown = try await stores.relational.read(in: Self.everywhere) { transaction in
            try Self.userOfReset(token, now: now, transaction) != nil
        }
        guard isKnown else { throw Self.invalidReset }
        let hash = try await hasher.withPlace { place in try await place.hash(Array(new.utf8)) }
        let book = book()
        let user = try await stores.relational.write(in: Self.everywhere) { transaction -> UserID in
            guard let user = try Self.userOfReset(token, now: now, transaction) else { throw Self.invalidReset }
            try transaction.execute(
                "UPDATE password_resets SET used_at = \(now) WHERE user_id = \(user.id) AND used_at IS NULL")
            try transaction.execute(
                """
                UPDATE users SET password_hash = \(hash), must_change_password = \(false), version = version + 1,
                    updated_at = \(now)
                WHERE id = \(user.id)
                """)
            // Whoever has the link is the owner: what others guessed wrong holds them up no longer.
            try transaction.execute("DELETE FROM sign_in_failures WHERE account_key = \("user:\(user.id)")")
            try book.revokeAll(where: "user_id = \(user.id)", because: "password_reset", transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: AuditActor(kind: .anonymous, id: nil, name: "anonymous", address: address),
                    tenant: user.homeTenant, "reset_password", "user", user.id.description, at: now),
                in: transaction)
            return user.id
        }
        await forget([.user(user)])
    }

    private static func userOfReset(_ token: SecretToken, now: Timestamp, _ transaction: any SQLTransaction) throws
        -> UserRow?
    {
        let row = try transaction.rows(
            """
            SELECT \(UserRow.columns) FROM password_resets r JOIN users u ON u.id = r.user_id
            WHERE r.token_hash = \(token.hash) AND r.used_at IS NULL AND r.expires_at > \(now)
                AND u.is_active AND u.deleted_at IS NULL AND u.auth_method = 'password'
            """
        ).first
        return try row.map(UserRow.init)
    }

    /// An address of a page, whole when it is configured where this server is reached.
    func link(_ path: String) -> String { (settings.publicAddress ?? "") + path }

    private static let invalidReset = ServiceError(
        .invalid, "auth.reset", "The link is not valid, or was used, or is too old.")
}

/// Names for which a link was asked, until they are looked up; beyond a limit new ones are forgotten, and asked again.
actor ResetQueue {
    static let limit = 1_000
    private var names: [String] = []

    func add(_ name: String) {
        if names.count < Self.limit { names.append(name) }
    }

    func take() -> String? { names.isEmpty ? nil : names.removeFirst() }
}
