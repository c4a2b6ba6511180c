import VigilModel
import VigilPorts

extension IdentityChange {
    /// The token that the caller may make of what is wanted.
    func bounded(_ draft: TokenDraft) throws -> TokenDraft {
        try requireDevices(draft.devices ?? [])
        switch principal.subject {
        case .token(let maker, _): return try bounded(draft, by: maker)
        case .user(let user, _):
            // Else a token would be the way around the password that is to be changed first.
            guard try UserRow.find(user, transaction)?.mustChangePassword == false else {
                throw ServiceError(.forbidden, "auth.must_change", "Change the password first.")
            }
            return draft
        case .local: return draft
        case .device, .anonymous: throw IdentityService.noSession
        }
    }

    private func bounded(_ draft: TokenDraft, by maker: TokenID) throws -> TokenDraft {
        let row = try transaction.rows(
            """
            SELECT permissions, is_limited_to_devices, expires_at FROM tokens
            WHERE tenant_id = \(tenant) AND id = \(maker) AND revoked_at IS NULL
            """
        ).first
        guard let row else { throw IdentityService.invalidCredential }
        var draft = draft
        let held = try row.get("permissions", as: JSONValue.self).permissionList
        guard held.mayGrant(draft.permissions ?? []) else {
            throw ServiceError(.forbidden, "grant.beyond", "Nobody can grant more than they hold.")
        }
        draft.permissions = draft.permissions ?? held
        if try row.get("is_limited_to_devices", as: Bool.self), draft.devices == nil {
            let devices = try transaction.rows(
                "SELECT device_id FROM token_devices WHERE tenant_id = \(tenant) AND token_id = \(maker)")
            draft.devices = try devices.map { try $0.get("device_id") }
        }
        if let end = try row.optional("expires_at", as: Timestamp.self) {
            guard draft.expires ?? end <= end else {
                throw ServiceError.invalid("expires", "must not be later than that of the token that makes it")
            }
            draft.expires = draft.expires ?? end
        }
        return draft
    }

    /// - Throws: `invalid` unless all are devices that the caller sees.
    private func requireDevices(_ devices: [DeviceID]) throws {
        let wanted = Array(Set(devices))
        guard !wanted.isEmpty else { return }
        let found: Int = try transaction.rows(
            """
            SELECT count(*) AS n FROM devices
            WHERE tenant_id = \(tenant) AND id IN \(wanted) AND deleted_at IS NULL
            """)[0].get("n")
        guard found == wanted.count, wanted.allSatisfy({ principal.scope?.shows($0) == true }) else {
            throw ServiceError.invalid("devices", "names something unknown")
        }
    }

    /// Whether the caller may end a token of `owner` (a person, or nobody for a device's credential).
    func mayRevoke(_ token: TokenID, of owner: UserID?) throws -> Bool {
        if principal.may(Permission("token", "revoke")) { return true }
        switch principal.subject {
        case .user(let user, _): return owner == user
        case .token(let own, _): return try tokens(madeWith: own).contains(token)
        case .device(_, let own): return own == token
        case .local: return true
        case .anonymous: return false
        }
    }

    /// Ends a token and what was made with it.
    ///
    /// - Returns: Those that were ended.
    func revokeToken(_ id: TokenID) throws -> [TokenID] {
        let ids = try tokens(madeWith: id)
        for id in ids {
            try transaction.execute(
                """
                UPDATE tokens SET revoked_at = \(time)
                WHERE tenant_id = \(tenant) AND id = \(id) AND revoked_at IS NULL
                """)
            try record("revoke", "token", id.description, event: "token.revoked")
        }
        return ids
    }

    /// A token, what was made with it, what was made with that, and so on.
    private func tokens(madeWith id: TokenID) throws -> [TokenID] {
        try transaction.rows(
            """
            WITH RECURSIVE made(id) AS (
                SELECT id FROM tokens WHERE tenant_id = \(tenant) AND id = \(id)
                UNION
                SELECT t.id FROM made m JOIN tokens t ON t.tenant_id = \(tenant) AND t.maker_id = m.id
            )
            SELECT id FROM made
            """
        ).map { try $0.get("id") }
    }
}
