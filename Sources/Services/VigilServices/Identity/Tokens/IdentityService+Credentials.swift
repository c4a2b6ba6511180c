package import VigilModel
import VigilPorts

/// The name of a device's credential.
package struct CredentialDraft: Codable, Sendable {
    package var name: String
    /// When it stops working; never when absent.
    package var expires: Timestamp?

    package init(name: String, expires: Timestamp? = nil) {
        self.name = name
        self.expires = expires
    }
}

extension IdentityService {
    /// What a device does with a credential of its own.
    static let credentialPermissions = [Permission("reading", "write"), Permission("device", "read")]
    /// Credentials of one device; more than two are only there while one is exchanged for another.
    static let credentialsPerDevice = 10

    /// The credentials of a device, named by code or identifier, the newest first.
    package func credentials(of device: String, by principal: Principal) async throws -> [TokenView] {
        try await read(by: principal) { tenant, transaction in
            let device = try Self.device(device, in: tenant, seenBy: principal, transaction)
            return try transaction.rows(
                """
                SELECT * FROM tokens WHERE tenant_id = \(tenant) AND device_id = \(device) AND revoked_at IS NULL
                ORDER BY id DESC
                """
            ).map(TokenView.init(row:))
        }
    }

    /// Makes a credential of a device: with it the device writes its own readings, and sees nothing else.
    ///
    /// - Throws: `forbidden`, code `grant.beyond`, unless the caller may write readings; `conflict`, code
    ///   `credential.too_many`.
    package func createCredential(of device: String, _ draft: CredentialDraft, by principal: Principal) async throws
        -> NewToken
    {
        try Self.checkTokenName(draft.name)
        if let expires = draft.expires, expires <= clock.now() {
            throw ServiceError.invalid("expires", "must be in the future")
        }
        let token = SecretToken(.device)
        return try await change(by: principal) { change in
            try change.requireGrant(of: Self.credentialPermissions, seesAll: false)
            let device = try Self.device(device, in: change.tenant, seenBy: principal, change.transaction)
            return try change.insertCredential(token, draft, device)
        }
    }

    /// Replaces a credential by a new one with the same name; the old one stops working at once.
    package func rotateCredential(_ id: TokenID, of device: String, by principal: Principal) async throws -> NewToken {
        let token = SecretToken(.device)
        return try await change(by: principal, forgetting: { _ in [.token(id)] }) { change in
            try change.requireGrant(of: Self.credentialPermissions, seesAll: false)
            let device = try Self.device(device, in: change.tenant, seenBy: principal, change.transaction)
            let old = try change.credential(id, of: device)
            _ = try change.revokeToken(id)
            return try change.insertCredential(token, CredentialDraft(name: old.name, expires: old.expires), device)
        }
    }

    /// Ends a credential of a device.
    package func revokeCredential(_ id: TokenID, of device: String, by principal: Principal) async throws {
        try await change(by: principal, forgetting: { [.token(id)] }) { change in
            let device = try Self.device(device, in: change.tenant, seenBy: principal, change.transaction)
            _ = try change.credential(id, of: device)
            _ = try change.revokeToken(id)
        }
    }

    /// - Throws: `notFound` for what the caller does not see.
    private static func device(
        _ reference: String, in tenant: TenantID, seenBy principal: Principal, _ transaction: any SQLTransaction
    ) throws -> DeviceID {
        let row = try transaction.rows(
            "SELECT id FROM devices WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND \(SQL.named(reference))"
        ).first
        guard let id = try row?.get("id", as: DeviceID.self), principal.scope?.shows(id) == true else {
            throw ServiceError.notFound("device")
        }
        return id
    }
}

extension IdentityChange {
    fileprivate func insertCredential(_ token: SecretToken, _ draft: CredentialDraft, _ device: DeviceID) throws
        -> NewToken
    {
        let count: Int = try transaction.rows(
            """
            SELECT count(*) AS n FROM tokens
            WHERE tenant_id = \(tenant) AND device_id = \(device) AND revoked_at IS NULL
            """)[0].get("n")
        guard count < IdentityService.credentialsPerDevice else {
            throw ServiceError(
                .conflict, "credential.too_many",
                "The device has \(IdentityService.credentialsPerDevice) credentials already. Revoke one.")
        }
        return try insertToken(
            token,
            TokenDraft(
                name: draft.name, permissions: IdentityService.credentialPermissions, expires: draft.expires),
            user: nil, device: device)
    }

    fileprivate func credential(_ id: TokenID, of device: DeviceID) throws -> TokenView {
        let row = try transaction.rows(
            """
            SELECT * FROM tokens
            WHERE tenant_id = \(tenant) AND id = \(id) AND device_id = \(device) AND revoked_at IS NULL
            """
        ).first
        guard let row else { throw ServiceError.notFound("credential") }
        return try TokenView(row: row)
    }
}
