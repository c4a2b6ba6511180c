import VigilModel
import VigilPorts

/// How an account signs in from now on, with its new secret.
package struct MethodDraft: Codable, Sendable {
    package var method: AuthMethod
    /// The new password; the present one stays when absent.
    package var password: String?
    /// The new PIN, of exactly as many digits as the installation says (four); the present one stays when absent.
    package var pin: String?
    /// Of one's own account: the present password or PIN.
    package var current: String?

    package init(_ method: AuthMethod, password: String? = nil, pin: String? = nil, current: String? = nil) {
        self.method = method
        self.password = password
        self.pin = pin
        self.current = current
    }
}

extension IdentityService {
    /// Changes how a member signs in; all their sessions and links end.
    ///
    /// PINs and names alone work on enrolled panels only. Whoever is in charge never signs in by name alone: anybody who
    /// stands before the panel would be in charge.
    /// - Throws: `invalid` for a secret that is none; `forbidden`, code `auth.wrong_password`, for a wrong present one.
    package func setMethod(of reference: String, _ draft: MethodDraft, by principal: Principal) async throws {
        try checkSecrets(draft)
        let target = try await read(by: principal) { tenant, transaction in
            try MemberRow.required(reference, in: tenant, transaction).user
        }
        let hashes = try await hasher.withPlace { [self] place in
            if target.id == principal.user {
                guard try await verify(draft.current ?? "", of: target, place) else {
                    throw ServiceError(.forbidden, "auth.wrong_password", "The present secret is wrong.")
                }
            }
            return try await self.hashes(of: draft, for: target.id, place)
        }
        let book = book()
        try await change(by: principal, forgetting: { _ in [.user(target.id)] }) { change in
            let member = try MemberRow.required(target.id.description, in: change.tenant, change.transaction)
            try change.requireNotStronger(member, everywhere: true)
            try change.requireAccountHere(member.user)
            try change.setMethod(of: member, draft.method, hashes, book)
        }
    }

    /// Hashes of new secrets.
    struct Hashes: Sendable {
        var password: String?
        var pin: String?
    }

    func hashes(of draft: MethodDraft, for user: UserID, _ place: PasswordHasher.Place) async throws -> Hashes {
        var hashes = Hashes()
        if let password = draft.password { hashes.password = try await place.hash(Array(password.utf8)) }
        if let pin = draft.pin { hashes.pin = try await place.hash(keyedPIN(pin, of: user)) }
        return hashes
    }

    func checkSecrets(_ draft: MethodDraft) throws(ServiceError) {
        if let password = draft.password { try checkPassword(password, field: "password") }
        if let pin = draft.pin {
            guard pin.utf8.count == settings.pinDigits, pin.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw .invalid("pin", "must be exactly \(settings.pinDigits) digits", code: "user.pin")
            }
        }
        guard (draft.current ?? "").utf8.count <= 4096 else {
            throw .invalid("current", "must have at most 4096 bytes")
        }
    }
}

extension IdentityChange {
    fileprivate func setMethod(
        of member: MemberRow, _ method: AuthMethod, _ hashes: IdentityService.Hashes, _ book: SessionBook
    ) throws {
        let user = member.user
        try requireSecret(method, password: hashes.password ?? user.passwordHash, pin: hashes.pin ?? user.pinHash)
        if method == .username, try MemberRow.isInCharge(user.id, transaction) { throw Self.nameAlone }
        try transaction.execute(
            """
            UPDATE users SET auth_method = \(method.rawValue), password_hash = \(hashes.password ?? user.passwordHash),
                pin_hash = \(hashes.pin ?? user.pinHash), must_change_password = \(false), version = version + 1,
                updated_at = \(time)
            WHERE id = \(user.id)
            """)
        try transaction.execute(
            "UPDATE password_resets SET used_at = \(time) WHERE user_id = \(user.id) AND used_at IS NULL")
        try transaction.execute("DELETE FROM sign_in_failures WHERE account_key = \("user:\(user.id)")")
        try book.revokeAll(where: "user_id = \(user.id)", because: "method_changed", transaction)
        try record(
            "change_method", "user", user.id.description, event: "user.updated",
            before: .object(["method": .string(user.authMethod.rawValue)]),
            after: .object(["method": .string(method.rawValue)]))
    }

    /// A way to sign in without its secret would let nobody in.
    func requireSecret(_ method: AuthMethod, password: String?, pin: String?) throws {
        switch method {
        case .password where password == nil: throw ServiceError.invalid("password", "is needed to sign in with one")
        case .pin where pin == nil: throw ServiceError.invalid("pin", "is needed to sign in with one")
        default: return
        }
    }

    static let nameAlone = ServiceError(
        .conflict, "user.name_alone", "Whoever is in charge does not sign in by name alone.")
}

extension MemberRow {
    /// Whether a user is in charge of any tenant.
    static func isInCharge(_ user: UserID, _ transaction: any SQLTransaction) throws -> Bool {
        try !transaction.rows(
            """
            SELECT mr.id FROM memberships m
            JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
            WHERE m.user_id = \(user) AND mr.built_in IN \(rolesInCharge) LIMIT 1
            """
        ).isEmpty
    }
}
