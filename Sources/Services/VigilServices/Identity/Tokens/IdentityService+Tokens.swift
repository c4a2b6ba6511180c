package import VigilModel
import VigilPorts

/// An API token or a device's credential, without its secret.
package struct TokenView: Codable, Sendable, Hashable {
    package var id: TokenID
    package var name: String
    /// The first characters, to tell tokens apart.
    package var hint: String
    package var permissions: [Permission]
    package var device: DeviceID?
    package var expires: Timestamp?
    package var lastUsed: Timestamp?
    package var lastAddress: String?
    package var created: Timestamp
}

/// A token to be made.
package struct TokenDraft: Codable, Sendable {
    package var name: String
    /// What it may do at most; everything that its owner may when absent.
    package var permissions: [Permission]?
    /// The only devices that it sees.
    package var devices: [DeviceID]?
    package var expires: Timestamp?

    package init(
        name: String, permissions: [Permission]? = nil, devices: [DeviceID]? = nil, expires: Timestamp? = nil
    ) {
        self.name = name
        self.permissions = permissions
        self.devices = devices
        self.expires = expires
    }
}

/// A token at the only moment when its secret is known.
package struct NewToken: Codable, Sendable {
    package var id: TokenID
    package var name: String
    package var token: String
}

extension IdentityService {
    /// The caller's own tokens, the newest first.
    package func tokens(page: PageRequest, by principal: Principal) async throws -> Portion<TokenView> {
        guard let user = principal.user else { return Portion(items: [], next: nil) }
        let after = try page.cursor.map { try $0.text(at: 0) }
        return try await read(by: principal) { tenant, transaction in
            let older: SQL = after.map { "AND id < \($0)" } ?? ""
            let rows = try transaction.rows(
                """
                SELECT * FROM tokens
                WHERE tenant_id = \(tenant) AND user_id = \(user) AND revoked_at IS NULL \(older)
                ORDER BY id DESC LIMIT \(page.limit + 1)
                """)
            return Portion(of: try rows.map(TokenView.init(row:)), limit: page.limit) { [.string($0.id.description)] }
        }
    }

    /// Makes an API token of the caller.
    ///
    /// A token that is made with a token can do no more than that one, sees no more, lasts no longer, and is revoked
    /// with it.
    /// - Throws: `conflict`, code `token.too_many`; `forbidden`, code `grant.beyond`, for more than the caller may.
    package func createToken(_ draft: TokenDraft, by principal: Principal) async throws -> NewToken {
        guard let user = principal.user else { throw Self.noSession }
        return try await createToken(draft, for: user, by: principal)
    }

    /// Makes an API token of a member, by a caller who may (the command line).
    func createToken(_ draft: TokenDraft, for user: UserID, by principal: Principal) async throws -> NewToken {
        try Self.check(draft, now: clock.now())
        let token = SecretToken(.api)
        let limit = settings.tokensPerUser
        return try await change(by: principal) { change in
            let count: Int = try change.transaction.rows(
                """
                SELECT count(*) AS n FROM tokens
                WHERE tenant_id = \(change.tenant) AND user_id = \(user) AND revoked_at IS NULL
                """)[0].get("n")
            guard count < limit else {
                throw ServiceError(.conflict, "token.too_many", "There are \(limit) tokens already. Revoke one.")
            }
            let bounded = try change.bounded(draft)
            return try change.insertToken(token, bounded, user: user, device: nil)
        }
    }

    /// Ends a token and those that were made with it: one's own, or with `token:revoke` any of the caller's tenant.
    ///
    /// A token that may not revoke ends nothing but itself and what it made.
    package func revokeToken(_ id: TokenID, by principal: Principal) async throws {
        _ = try await change(by: principal, forgetting: { $0.map(Forgotten.token) }) { change in
            let row = try change.transaction.rows(
                "SELECT user_id FROM tokens WHERE tenant_id = \(change.tenant) AND id = \(id) AND revoked_at IS NULL"
            ).first
            guard let row else { throw ServiceError.notFound("token") }
            let owner = try row.optional("user_id", as: UserID.self)
            guard try change.mayRevoke(id, of: owner) else { throw ServiceError.notFound("token") }
            return try change.revokeToken(id)
        }
    }

    private static func check(_ draft: TokenDraft, now: Timestamp) throws(ServiceError) {
        try checkTokenName(draft.name)
        if let permissions = draft.permissions, !(1...500).contains(permissions.count) {
            throw .invalid("permissions", "must be 1 to 500")
        }
        if let devices = draft.devices, !(1...1000).contains(devices.count) {
            throw .invalid("devices", "must be 1 to 1000")
        }
        if let expires = draft.expires, expires <= now { throw .invalid("expires", "must be in the future") }
    }

    static func checkTokenName(_ name: String) throws(ServiceError) {
        guard (1...100).contains(name.utf8.count) else { throw .invalid("name", "must have 1 to 100 bytes") }
    }
}

extension IdentityChange {
    func insertToken(_ token: SecretToken, _ draft: TokenDraft, user: UserID?, device: DeviceID?) throws -> NewToken {
        let id = TokenID(at: time)
        // A token can never do more than its owner, so a list of its own only narrows.
        let permissions = draft.permissions ?? [Permission("*", "*")]
        let maker: TokenID? = if case .token(let maker, _) = principal.subject { maker } else { nil }
        try transaction.execute(
            """
            INSERT INTO tokens (id, tenant_id, user_id, device_id, maker_id, name, token_hash, hint, permissions,
                is_limited_to_devices, expires_at, created_by, created_at)
            VALUES (\(id), \(tenant), \(user), \(device), \(maker), \(draft.name), \(token.hash), \(token.hint),
                \(permissions.json), \(draft.devices != nil), \(draft.expires), \(actor), \(time))
            """)
        for allowed in Set(draft.devices ?? []) {
            try transaction.execute(
                "INSERT INTO token_devices (tenant_id, token_id, device_id) VALUES (\(tenant), \(id), \(allowed))")
        }
        try record(
            "create", "token", id.description, event: "token.created",
            after: .object(["name": .string(draft.name), "permissions": permissions.json]), device: device)
        return NewToken(id: id, name: draft.name, token: token.text)
    }
}

extension TokenView {
    init(row: SQLRow) throws {
        id = try row.get("id")
        name = try row.get("name")
        hint = try row.get("hint")
        permissions = try row.get("permissions", as: JSONValue.self).permissionList
        device = try row.optional("device_id", as: DeviceID.self)
        expires = try row.optional("expires_at", as: Timestamp.self)
        lastUsed = try row.optional("last_used_at", as: Timestamp.self)
        lastAddress = try row.optional("last_address", as: String.self)
        created = try row.get("created_at")
    }
}
