import VigilModel
package import VigilPorts

/// Tenants, people, what they may do, and what they sign in with.
///
/// This is the only place that makes an ``AccessScope`` for somebody: everything that a request may see follows from the
/// ``Principal`` that ``principal(for:remoteAddress:)`` answers.
package final class IdentityService: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let settings: IdentitySettings
    let cache: PrincipalCache
    let pinKey: DerivedKey
    let hasher: PasswordHasher
    let attempts: SignInGuard
    /// Links to people; `nil`: they are handed over by the command line.
    let mail: (any MailDelivery)?
    let resets: ResetQueue

    /// PINs depend on `key`, the installation's key.
    package init(
        stores: Stores, clock: any TimeSource, key: MasterKey, settings: IdentitySettings = .init(),
        mail: (any MailDelivery)? = nil
    ) {
        self.stores = stores
        self.clock = clock
        self.settings = settings
        cache = PrincipalCache(limit: settings.principalsRemembered)
        pinKey = key.derive("identity.pin")
        hasher = PasswordHasher(settings: settings)
        attempts = SignInGuard(settings: settings.lockout)
        self.mail = mail
        resets = ResetQueue()
    }

    static let everywhere = SystemScope.allTenants("identity")

    /// Who shows this credential, with what they may do and see.
    ///
    /// Called for every request: the answer is remembered for some seconds (``IdentitySettings/principalLife``), and
    /// forgotten at once when a session, a token, a user or a role is changed.
    ///
    /// - Throws: `unauthenticated`, code `auth.invalid`, for what is unknown, revoked, or belongs to somebody or a tenant
    ///   that is no longer active; code `auth.expired` when a refresh helps.
    package func principal(for credential: Credential, remoteAddress: String) async throws -> Principal {
        guard let token = SecretToken(shown: credential.secret), credential.admits(token.kind) else {
            throw Self.invalidCredential
        }
        let now = clock.now()
        let hash = token.hash
        if let entry = await cache.entry(hash, at: now) { return entry.principal.from(remoteAddress) }
        let generation = await cache.generation
        let found = try await lookUp(token.kind, hash: hash, now: now)
        if let use = found.use {
            await cache.note(.init(owner: use, time: now, address: remoteAddress))
        }
        await cache.remember(
            .init(principal: found.principal, until: min(now + settings.principalLife, found.until)), as: hash,
            since: generation)
        return found.principal.from(remoteAddress)
    }

    static let invalidCredential = ServiceError(
        .unauthenticated, "auth.invalid", "The credential is not valid, or no longer.")
    static let expiredCredential = ServiceError(
        .unauthenticated, "auth.expired", "The access token has ended. Refresh it, or sign in again.")
}

extension Credential {
    /// Whether a token of this kind may be shown this way.
    fileprivate func admits(_ kind: SecretToken.Kind) -> Bool {
        switch self {
        case .cookie: kind == .access
        case .bearer: kind == .access || kind == .api || kind == .device
        case .token, .basic: kind == .api || kind == .device
        }
    }
}

extension Principal {
    func from(_ address: String?) -> Principal {
        var copy = self
        copy.remoteAddress = address
        return copy
    }
}
