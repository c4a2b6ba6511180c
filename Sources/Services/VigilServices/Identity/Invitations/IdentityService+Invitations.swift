package import VigilModel
import VigilPorts

extension IdentityService {
    /// Open invitations of a tenant.
    static let invitationsMax = 500
    /// Letters with invitations that a tenant sends within an hour.
    static let invitationLetters = 50

    /// The open invitations of the caller's tenant, the newest first.
    package func invitations(by principal: Principal) async throws -> [InvitationView] {
        let now = clock.now()
        return try await read(by: principal) { tenant, transaction in
            try transaction.rows(
                """
                SELECT * FROM invitations WHERE tenant_id = \(tenant) AND accepted_at IS NULL AND expires_at > \(now)
                ORDER BY id DESC LIMIT \(Self.invitationsMax)
                """
            ).map(InvitationView.init(row:))
        }
    }

    /// Asks somebody to join the caller's tenant, with roles that the caller may give.
    ///
    /// - Throws: `forbidden`, code `grant.beyond`; `tooMany` for too many open ones, or too many letters.
    package func invite(_ draft: InvitationDraft, by principal: Principal) async throws -> NewInvitation {
        try AccountFields.checkEmail(draft.email)
        let email = draft.email.flatMap { $0.isEmpty ? nil : $0 }
        if email != nil, let tenant = principal.scope?.tenant {
            let decision = try await stores.limits.admit(
                "identity.invite/\(tenant)", limit: Self.invitationLetters, per: .hours(1))
            guard decision.isAllowed else {
                throw ServiceError(
                    .tooMany, "invitation.rate", "Too many letters were sent. Try again later.",
                    retryAfter: max(.seconds(1), decision.retryAfter))
            }
        }
        let token = SecretToken(.invitation)
        let link = link("/join?token=" + token.text)
        let (invitation, place) = try await change(by: principal) { [settings] change in
            let expires = change.time + settings.invitationLife
            let id = try change.insertInvitation(token, draft, email: email, expires: expires)
            let row = try change.transaction.rows("SELECT name FROM tenants WHERE id = \(change.tenant)").first
            return (
                NewInvitation(id: id, token: token.text, link: link, expires: expires),
                try row?.get("name", as: String.self) ?? ""
            )
        }
        if let email, let mail {
            try await mail.send(
                MailMessage(
                    to: email, subject: "You are invited to \(place) on Vigil",
                    text: "Open this within a week to join \(place):\n\n\(link)\n"))
        }
        return invitation
    }

    /// Takes an open invitation back.
    package func withdrawInvitation(_ id: EntryID, by principal: Principal) async throws {
        try await change(by: principal) { change in
            let row = try change.transaction.rows(
                """
                SELECT id FROM invitations
                WHERE tenant_id = \(change.tenant) AND id = \(id) AND accepted_at IS NULL
                """
            ).first
            guard row != nil else { throw ServiceError.notFound("invitation") }
            try change.transaction.execute(
                "DELETE FROM invitations WHERE tenant_id = \(change.tenant) AND id = \(id)")
            try change.record("withdraw", "invitation", id.description, event: "invitation.withdrawn")
        }
    }

    /// Joins the tenant of an invitation: with the caller's account when they have signed in, else with a new one.
    ///
    /// What the one who invited may give at this moment bounds the roles.
    /// - Throws: `invalid`, code `invitation.invalid`, before any hashing; `conflict` for a name that is taken, or an
    ///   account that is a member.
    package func accept(_ draft: AcceptanceDraft, by principal: Principal, address: String) async throws -> UserView {
        guard let token = SecretToken(shown: draft.token), token.kind == .invitation else {
            throw Self.invalidInvitation
        }
        let now = clock.now()
        let isOpen = try await stores.relational.read(in: Self.everywhere) { transaction in
            try OpenInvitation.find(token, now: now, transaction) != nil
        }
        guard isOpen else { throw Self.invalidInvitation }
        let account = try await account(draft, principal)
        let view = try await stores.relational.write(in: Self.everywhere) { transaction -> UserView in
            guard let invitation = try OpenInvitation.find(token, now: now, transaction) else {
                throw Self.invalidInvitation
            }
            let change = IdentityChange(
                transaction: transaction, tenant: invitation.tenant,
                principal: try invitation.guest(principal, address: address, transaction), time: now)
            return try change.accept(invitation, account)
        }
        await forget([.user(view.id)])
        return view
    }

    /// Who joins: an account that is there, or one to be made.
    enum Guest: Sendable {
        case known(UserID)
        case new(UserID, UserDraft, Hashes)
    }

    private func account(_ draft: AcceptanceDraft, _ principal: Principal) async throws -> Guest {
        if case .user(let user, _) = principal.subject { return .known(user) }
        guard principal.subject == .anonymous else { throw Self.noSession }
        guard let username = draft.username, let password = draft.password else {
            throw ServiceError.invalid("username", "and password are needed to make an account")
        }
        var user = UserDraft(username: username, password: password)
        user.firstName = draft.firstName
        user.lastName = draft.lastName
        try check(user)
        let id = UserID(at: clock.now())
        let hashes = try await hasher.withPlace { [self] place in
            try await self.hashes(of: MethodDraft(.password, password: password), for: id, place)
        }
        return .new(id, user, hashes)
    }

    static let invalidInvitation = ServiceError(
        .invalid, "invitation.invalid", "The invitation is not valid, or was accepted, or is too old.")
}

/// An invitation that can be accepted.
struct OpenInvitation: Sendable {
    var id: EntryID
    var tenant: TenantID
    var email: String?
    var roles: [String]
    var seesAll: Bool
    var inviter: UserID?

    static func find(_ token: SecretToken, now: Timestamp, _ transaction: any SQLTransaction) throws -> OpenInvitation?
    {
        let row = try transaction.rows(
            """
            SELECT i.* FROM invitations i JOIN tenants t ON t.id = i.tenant_id
            WHERE i.token_hash = \(token.hash) AND i.accepted_at IS NULL AND i.expires_at > \(now) AND t.is_active
            """
        ).first
        return try row.map { row in
            OpenInvitation(
                id: try row.get("id"), tenant: try row.get("tenant_id"), email: try row.optional("email"),
                roles: try row.get("roles", as: JSONValue.self).texts,
                seesAll: try row.get("visibility", as: String.self) == "all",
                inviter: try row.optional("invited_by", as: UserID.self))
        }
    }

    /// Who joins, with what the one who invited may give now.
    func guest(_ principal: Principal, address: String, _ transaction: any SQLTransaction) throws -> Principal {
        var permissions = [Permission("*", "*")]
        var scope = AccessScope(tenant: tenant)
        if let inviter {
            guard let rights = try Rights.of(inviter, in: tenant, transaction),
                rights.permissions.allow(Permission("user", "create"))
            else { throw IdentityService.invalidInvitation }
            permissions = rights.permissions
            scope = try rights.scope(in: tenant, transaction)
        }
        return Principal(
            subject: principal.subject, tenant: tenant, permissions: permissions, scope: scope, name: principal.name,
            remoteAddress: address)
    }
}

extension IdentityChange {
    fileprivate func insertInvitation(
        _ token: SecretToken, _ draft: InvitationDraft, email: String?, expires: Timestamp
    ) throws -> EntryID {
        let count: Int = try transaction.rows(
            """
            SELECT count(*) AS n FROM invitations
            WHERE tenant_id = \(tenant) AND accepted_at IS NULL AND expires_at > \(time)
            """)[0].get("n")
        guard count < IdentityService.invitationsMax else {
            throw ServiceError(.tooMany, "invitation.limit", "There are too many open invitations.")
        }
        let roles = Set(draft.roles ?? [BuiltInRole.viewer.rawValue]).sorted()
        let seesAll = draft.seesOnlyAssigned != true
        for role in roles { try requireGrant(of: permissions(ofRole: role).permissions, seesAll: seesAll) }
        try requireGrant(of: [], seesAll: seesAll)
        let id = EntryID(at: time)
        try transaction.execute(
            """
            INSERT INTO invitations (id, tenant_id, email, token_hash, roles, visibility, invited_by, expires_at,
                created_at)
            VALUES (\(id), \(tenant), \(email), \(token.hash), \(JSONValue.array(roles.map { .string($0) })),
                \(seesAll ? String("all") : String("assigned")), \(principal.user), \(expires), \(time))
            """)
        try record(
            "create", "invitation", id.description, event: "invitation.created",
            after: try JSONValue(describing: draft))
        return id
    }

    fileprivate func accept(_ invitation: OpenInvitation, _ guest: IdentityService.Guest) throws -> UserView {
        try transaction.execute(
            "UPDATE invitations SET accepted_at = \(time) WHERE tenant_id = \(tenant) AND id = \(invitation.id)")
        switch guest {
        case .known(let user):
            return try addMember(user, roles: invitation.roles, seesAll: invitation.seesAll, action: "join")
        case .new(let id, var draft, let hashes):
            draft.email = invitation.email
            draft.roles = invitation.roles
            draft.seesOnlyAssigned = !invitation.seesAll
            return try createUser(draft, id: id, hashes: hashes)
        }
    }
}

extension InvitationView {
    fileprivate init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), email: try row.optional("email"),
            roles: try row.get("roles", as: JSONValue.self).texts,
            seesAll: try row.get("visibility", as: String.self) == "all", expires: try row.get("expires_at"),
            created: try row.get("created_at"))
    }
}

extension JSONValue {
    fileprivate var texts: [String] { (elements ?? []).compactMap(\.text) }
}
