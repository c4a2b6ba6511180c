import VigilModel
import VigilPorts

extension IdentityService {
    struct Found: Sendable {
        var principal: Principal
        var until: Timestamp
        var use: PrincipalCache.Use.Owner?
    }

    /// Reads what a token stands for, in one snapshot.
    func lookUp(_ kind: SecretToken.Kind, hash: String, now: Timestamp) async throws -> Found {
        let idle = settings.browserIdle
        switch kind {
        case .access:
            let (found, isStillUsed) = try await stores.relational.read(in: Self.everywhere) { transaction in
                try Self.session("s.access_hash = \(hash)", now: now, idle: idle, transaction)
            }
            // The last use may not be written down yet.
            if !isStillUsed, let use = found.use {
                guard let last = await cache.lastUse(of: use), now < last + idle else { throw Self.expiredCredential }
            }
            return found
        case .api:
            return try await stores.relational.read(in: Self.everywhere) { transaction in
                try Self.apiToken("t.token_hash = \(hash)", now: now, transaction)
            }
        case .device:
            return try await stores.relational.read(in: Self.everywhere) { transaction in
                try Self.deviceCredential("t.token_hash = \(hash)", now: now, transaction)
            }
        case .refresh, .panel, .reset, .invitation:
            throw Self.invalidCredential
        }
    }

    /// What a principal may do and see now; `nil` when its session or token has ended.
    ///
    /// For those who stay: a live socket is asked for its credential once, and listens for hours.
    /// - Throws: When the store cannot say.
    package func current(_ principal: Principal) async throws -> Principal? {
        let (now, idle) = (clock.now(), settings.browserIdle)
        do {
            let found: Found = try await stores.relational.read(in: Self.everywhere) { transaction in
                switch principal.subject {
                case .user(_, let session):
                    try Self.session("s.id = \(session)", now: now, idle: idle, transaction).0
                case .token(let token, _): try Self.apiToken("t.id = \(token)", now: now, transaction)
                case .device(_, let token): try Self.deviceCredential("t.id = \(token)", now: now, transaction)
                case .local: Found(principal: principal, until: .distantFuture, use: nil)
                case .anonymous: throw Self.invalidCredential
                }
            }
            // Whoever listens uses their session.
            if let use = found.use {
                await cache.note(.init(owner: use, time: now, address: principal.remoteAddress ?? ""))
            }
            return found.principal.from(principal.remoteAddress)
        } catch let error as ServiceError where error.kind == .unauthenticated {
            return nil
        }
    }

    private static func session(
        _ condition: SQL, now: Timestamp, idle: Span, _ transaction: any SQLTransaction
    ) throws -> (Found, isStillUsed: Bool) {
        let row = try transaction.rows(
            """
            SELECT s.id, s.user_id, s.tenant_id, s.kind, s.access_expires_at, s.expires_at, s.last_used_at,
                u.username, u.must_change_password
            FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE \(condition) AND s.revoked_at IS NULL AND u.is_active
            """
        ).first
        guard let row else { throw invalidCredential }
        let session = try row.get("id", as: SessionID.self)
        let user = try row.get("user_id", as: UserID.self)
        let tenant = try row.get("tenant_id", as: TenantID.self)
        let isBrowser = try row.get("kind", as: String.self) == "browser"
        let end = min(
            try row.get("expires_at", as: Timestamp.self), try row.get("access_expires_at", as: Timestamp.self))
        guard now < end else { throw expiredCredential }
        guard let rights = try Rights.of(user, in: tenant, transaction) else { throw invalidCredential }
        let mustChange = try row.get("must_change_password", as: Bool.self)
        let principal = Principal(
            subject: .user(user, session), tenant: tenant, permissions: mustChange ? [] : rights.permissions,
            scope: try rights.scope(in: tenant, transaction), name: try row.get("username", as: String.self))
        let isStillUsed = try !isBrowser || now < row.get("last_used_at", as: Timestamp.self) + idle
        return (Found(principal: principal, until: end, use: .session(session)), isStillUsed)
    }

    private static func apiToken(_ condition: SQL, now: Timestamp, _ transaction: any SQLTransaction) throws -> Found {
        let row = try transaction.rows(
            """
            SELECT t.id, t.user_id, t.tenant_id, t.name, t.permissions, t.is_limited_to_devices, t.expires_at
            FROM tokens t JOIN users u ON u.id = t.user_id
            WHERE \(condition) AND t.revoked_at IS NULL AND u.is_active
            """
        ).first
        guard let row else { throw invalidCredential }
        let end = try row.optional("expires_at", as: Timestamp.self) ?? .distantFuture
        guard now < end else { throw invalidCredential }
        let token = try row.get("id", as: TokenID.self)
        let user = try row.get("user_id", as: UserID.self)
        let tenant = try row.get("tenant_id", as: TenantID.self)
        guard let rights = try Rights.of(user, in: tenant, transaction) else { throw invalidCredential }
        var scope = try rights.scope(in: tenant, transaction)
        if try row.get("is_limited_to_devices", as: Bool.self) {
            let devices = try transaction.rows(
                "SELECT device_id FROM token_devices WHERE tenant_id = \(tenant) AND token_id = \(token)")
            let limited = Set(try devices.map { try $0.get("device_id", as: DeviceID.self) })
            scope = AccessScope(
                tenant: tenant, visibility: .assigned(devices: limited.filter { scope.shows($0) }, locations: []))
        }
        let allowed = try row.get("permissions", as: JSONValue.self).permissionList
        let principal = Principal(
            subject: .token(token, user), tenant: tenant, permissions: rights.permissions.intersection(allowed),
            scope: scope, name: try row.get("name", as: String.self))
        return Found(principal: principal, until: end, use: .token(token))
    }

    private static func deviceCredential(_ condition: SQL, now: Timestamp, _ transaction: any SQLTransaction) throws
        -> Found
    {
        let row = try transaction.rows(
            """
            SELECT t.id, t.device_id, t.tenant_id, t.permissions, t.expires_at, d.code
            FROM tokens t JOIN tenants n ON n.id = t.tenant_id
            JOIN devices d ON d.tenant_id = t.tenant_id AND d.id = t.device_id
            WHERE \(condition) AND t.revoked_at IS NULL AND n.is_active AND d.deleted_at IS NULL
            """
        ).first
        guard let row else { throw invalidCredential }
        let end = try row.optional("expires_at", as: Timestamp.self) ?? .distantFuture
        guard now < end else { throw invalidCredential }
        let token = try row.get("id", as: TokenID.self)
        let device = try row.get("device_id", as: DeviceID.self)
        let tenant = try row.get("tenant_id", as: TenantID.self)
        let principal = Principal(
            subject: .device(device, token), tenant: tenant,
            permissions: try row.get("permissions", as: JSONValue.self).permissionList,
            scope: AccessScope(tenant: tenant, visibility: .assigned(devices: [device], locations: [])),
            name: try row.optional("code", as: String.self) ?? device.description)
        return Found(principal: principal, until: end, use: .token(token))
    }
}
