import VigilModel
import VigilPorts

extension IdentityService {
    /// Signs somebody in by the method of the account, whatever the caller thinks it is.
    ///
    /// A password works from anywhere; a PIN and a name alone only with the secret of an enrolled panel that allows them.
    /// What is wrong (name, secret, method, panel, an account that is not active) is not told, neither by the answer nor
    /// by its time.
    ///
    /// - Throws: `unauthenticated`, code `auth.wrong`; `tooMany`, code `auth.locked`, after too many failures, with the
    ///   time to wait, and code `auth.busy` when too many sign in at once; `forbidden`, code `auth.tenant`, when all is
    ///   right but the account has no rights in the tenant.
    package func signIn(_ request: SignInRequest) async throws -> SignedIn {
        try Self.check(request)
        let admission = try await hasher.withPlace(for: request.address) { [self] place in
            let candidate = try await reserve(request)
            let isRight = try await verify(request.secret, of: candidate.user, place)
            guard candidate.isAdmitted(secretIsRight: isRight) else {
                try await noteFailure(of: candidate, address: request.address)
                throw Self.wrongCredentials
            }
            return candidate
        }
        guard let user = admission.user else { throw Self.wrongCredentials }
        let now = clock.now()
        let settings = settings
        let attempts = attempts
        let signedIn = try await stores.relational.write(in: Self.everywhere) { transaction in
            try attempts.forgive(account: admission.accountKey, address: admission.addressKey, transaction)
            let tenant = try Self.tenantToEnter(request.tenant, user: user, panel: admission.panel, transaction)
            let sessions = SessionBook(settings: settings, time: now)
            guard let tenant else { return Result<SignedIn, ServiceError>.failure(Self.noTenant) }
            let signedIn = try sessions.open(
                for: user, in: tenant, kind: request.kind, panel: admission.panel?.id, address: request.address,
                userAgent: request.userAgent, transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: AuditActor(
                        kind: .user, id: user.id.description, name: user.username, address: request.address),
                    tenant: tenant, "sign_in", "session", signedIn.session.description,
                    after: .object(["method": .string(user.authMethod.rawValue)]), at: now),
                in: transaction)
            return .success(signedIn)
        }
        return try signedIn.get()
    }

    static let wrongCredentials = ServiceError(
        .unauthenticated, "auth.wrong", "The name or the secret is wrong.")
    static let noTenant = ServiceError(
        .forbidden, "auth.tenant", "The account has no rights in this organisation.")

    private static func check(_ request: SignInRequest) throws {
        guard (1...254).contains(request.name.utf8.count) else {
            throw ServiceError.invalid("username", "must have 1 to 254 bytes")
        }
        guard request.secret.utf8.count <= 4096 else {
            throw ServiceError.invalid("password", "must have at most 4096 bytes")
        }
    }

    /// Finds the account and counts the attempt, or says how long to wait.
    private func reserve(_ request: SignInRequest) async throws -> SignInCandidate {
        let now = clock.now()
        let attempts = attempts
        let (candidate, wait) = try await stores.relational.write(in: Self.everywhere) { transaction in
            let candidate = try SignInCandidate.find(request, transaction)
            let wait = try attempts.reserve(
                account: candidate.accountKey, address: candidate.addressKey, now: now, transaction)
            return (candidate, wait)
        }
        if let wait {
            throw ServiceError(
                .tooMany, "auth.locked", "Too many failed sign-ins. Try again later.", retryAfter: wait)
        }
        return candidate
    }

    /// Compares the secret with what the account keeps; always takes one hash.
    func verify(_ secret: String, of user: UserRow?, _ place: PasswordHasher.Place) async throws -> Bool {
        switch user?.authMethod {
        case .pin:
            guard let user else { return false }
            return try await place.verify(keyedPIN(secret, of: user.id), against: user.pinHash)
        case .password, .username, nil:
            return try await place.verify(Array(secret.utf8), against: user?.passwordHash)
        }
    }

    /// What is hashed of a PIN: ten thousand PINs are tried in a minute, but not without the key that is not in the
    /// database.
    func keyedPIN(_ pin: String, of user: UserID) -> [UInt8] {
        pinKey.authenticationCode(for: Array("\(user):\(pin)".utf8))
    }

    /// Writes a failed attempt into the trail of the account's home.
    ///
    /// Attempts are slowed down, so the trail is not flooded; names that no account has are not kept.
    private func noteFailure(of candidate: SignInCandidate, address: String) async throws {
        guard let user = candidate.user else { return }
        let now = clock.now()
        try await stores.relational.write(in: Self.everywhere) { transaction in
            try AuditTrail.record(
                AuditRecord(
                    by: AuditActor(kind: .anonymous, id: nil, name: "anonymous", address: address),
                    tenant: user.homeTenant, "sign_in_failed", "user", user.id.description, at: now),
                in: transaction)
            return ()
        }
    }

    /// The tenant of a new session: the panel's, the one that is asked for, the home, or any that gives rights.
    private static func tenantToEnter(
        _ wanted: String?, user: UserRow, panel: SignInCandidate.Panel?, _ transaction: any SQLTransaction
    ) throws -> TenantID? {
        if let panel {
            return try Rights.of(user.id, in: panel.tenant, transaction).map { _ in panel.tenant }
        }
        if let wanted {
            guard let tenant = try tenant(wanted, transaction) else { return nil }
            return try Rights.of(user.id, in: tenant, transaction).map { _ in tenant }
        }
        if try Rights.of(user.id, in: user.homeTenant, transaction) != nil { return user.homeTenant }
        let others = try transaction.rows(
            """
            SELECT m.tenant_id FROM memberships m JOIN tenants t ON t.id = m.tenant_id
            WHERE m.user_id = \(user.id) AND m.is_active AND t.is_active ORDER BY m.id LIMIT 1
            """)
        return try others.first?.get("tenant_id")
    }
}
