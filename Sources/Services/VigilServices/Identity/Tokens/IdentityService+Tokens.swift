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
    /// - Throws: `conflict`, code `token.too_many`.
    package func createToken(_ draft: TokenDraft, by principal: Principal) async throws -> NewToken {
        guard let user = principal.user else { throw Self.noSession }
        return try await createToken(draft, for: user, by: principal)
    }

    /// Makes an API token of a member, by a caller who may (the command line).
    func createToken(_ draft: TokenDraft, for user: UserID, by principal: Principal) async throws -> NewToken {
        guard (1...100).contains(draft.name.count) else {
            throw ServiceError.invalid("name", "must have 1 to 100 characters")
        }
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
            return try change.insertToken(token, draft, user: user, device: nil)
        }
    }

    /// Makes the credential of a device: with it the device writes its own readings, and sees nothing else.
    package func createCredential(of device: DeviceID, name: String, by principal: Principal) async throws -> NewToken {
        let token = SecretToken(.device)
        let draft = TokenDraft(
            name: name, permissions: [Permission("reading", "write"), Permission("device", "read")])
        return try await change(by: principal) { change in
            let found = try change.transaction.rows(
                """
                SELECT id FROM devices WHERE tenant_id = \(change.tenant) AND id = \(device) AND deleted_at IS NULL
                """)
            guard !found.isEmpty, principal.scope?.shows(device) == true else { throw ServiceError.notFound("device") }
            return try change.insertToken(token, draft, user: nil, device: device)
        }
    }

    /// Ends a token: one's own, or with `token:revoke` any of the caller's tenant.
    package func revokeToken(_ id: TokenID, by principal: Principal) async throws {
        try await change(by: principal, forgetting: { [.token(id)] }) { change in
            let row = try change.transaction.rows(
                "SELECT user_id FROM tokens WHERE tenant_id = \(change.tenant) AND id = \(id) AND revoked_at IS NULL"
            ).first
            guard let row else { throw ServiceError.notFound("token") }
            let owner = try row.optional("user_id", as: UserID.self)
            guard owner == principal.user || principal.may(Permission("token", "revoke")) else {
                throw ServiceError.notFound("token")
            }
            try change.transaction.execute(
                "UPDATE tokens SET revoked_at = \(change.time) WHERE tenant_id = \(change.tenant) AND id = \(id)")
            try change.record("revoke", "token", id.description, event: "token.revoked")
        }
    }
}

extension IdentityChange {
    func insertToken(_ token: SecretToken, _ draft: TokenDraft, user: UserID?, device: DeviceID?) throws -> NewToken {
        let id = TokenID(at: time)
        // A token can never do more than its owner, so a list of its own only narrows.
        let permissions = draft.permissions ?? [Permission("*", "*")]
        try transaction.execute(
            """
            INSERT INTO tokens (id, tenant_id, user_id, device_id, name, token_hash, hint, permissions,
                is_limited_to_devices, expires_at, created_by, created_at)
            VALUES (\(id), \(tenant), \(user), \(device), \(draft.name), \(token.hash), \(token.hint),
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
