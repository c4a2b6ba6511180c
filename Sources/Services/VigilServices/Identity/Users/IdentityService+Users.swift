import VigilModel
import VigilPorts

extension IdentityService {
    /// The members of the caller's tenant, by name.
    package func users(search: String?, page: PageRequest, by principal: Principal) async throws -> Portion<UserView> {
        let after = try page.cursor.map { try $0.text(at: 0) }
        return try await read(by: principal) { tenant, transaction in
            var condition: SQL = "m.id IS NOT NULL"
            if let after { condition += " AND u.username_key > \(after)" }
            if let search, !search.isEmpty {
                condition += " AND \(transaction.dialect.containsText("u.username_key", search.lowercased()))"
            }
            let members = try MemberRow.list(condition, in: tenant, limit: page.limit + 1, transaction)
            let keys = members.map(\.user.usernameKey)
            let next = members.count > page.limit ? PageCursor([.string(keys[page.limit - 1])]) : nil
            return Portion(items: members.prefix(page.limit).map(UserView.init), next: next)
        }
    }

    /// A member of the caller's tenant, by identifier or user name.
    package func user(_ reference: String, by principal: Principal) async throws -> UserView {
        try await read(by: principal) { tenant, transaction in
            UserView(try MemberRow.required(reference, in: tenant, transaction))
        }
    }

    /// Makes a user who is a member of the caller's tenant.
    ///
    /// - Throws: `conflict`, code `user.name_taken`; `forbidden`, code `grant.beyond`, for roles beyond the caller's own;
    ///   `invalid` for a name, a password or a role that is none.
    package func createUser(_ draft: UserDraft, by principal: Principal) async throws -> UserView {
        try check(draft)
        let id = UserID(at: clock.now())
        let secrets = MethodDraft(draft.authMethod ?? .password, password: draft.password, pin: draft.pin)
        let hashes = try await hasher.withPlace { [self] place in try await self.hashes(of: secrets, for: id, place) }
        return try await change(by: principal, forgetting: { [.user($0.id)] }) { change in
            try change.createUser(draft, id: id, hashes: hashes)
        }
    }

    /// Changes a member.
    ///
    /// Their roles and state end what is remembered of their rights at once.
    /// Of people whom another organisation keeps, only the membership can be changed.
    /// - Throws: `conflict`, code `user.last_admin`, when nobody would be left who can do everything; `forbidden`, code
    ///   `user.stronger`, for somebody who may do or see more than the caller.
    package func updateUser(_ reference: String, _ patch: UserPatch, version: Int?, by principal: Principal)
        async throws
        -> UserView
    {
        try AccountFields.check(patch)
        return try await change(by: principal, forgetting: { [.user($0.id)] }) { change in
            let before = try MemberRow.required(reference, in: change.tenant, change.transaction)
            if let version, version != before.user.version {
                throw ServiceError(.stale, "user.stale", "The user was changed by somebody else. Read it again.")
            }
            try change.requireNotStronger(before, everywhere: patch.changesAddress)
            if patch.changesAccount { try change.requireAccountHere(before.user) }
            return try change.update(before, patch)
        }
    }

    func check(_ draft: UserDraft) throws {
        try AccountFields.checkUsername(draft.username)
        try AccountFields.check(draft)
        try checkSecrets(MethodDraft(draft.authMethod ?? .password, password: draft.password, pin: draft.pin))
    }

    func checkPassword(_ password: String, field: String) throws(ServiceError) {
        let bounds = settings.minimumPasswordLength...settings.maximumPasswordLength
        guard bounds.contains(password.utf8.count) else {
            throw .invalid(
                field, "must have \(bounds.lowerBound) to \(bounds.upperBound) characters", code: "user.password")
        }
    }
}

extension IdentityChange {
    func createUser(_ draft: UserDraft, id: UserID, hashes: IdentityService.Hashes) throws -> UserView {
        let method = draft.authMethod ?? .password
        try requireSecret(method, password: hashes.password, pin: hashes.pin)
        if method == .username, (draft.roles ?? []).contains(where: MemberRow.rolesInCharge.contains) {
            throw Self.nameAlone
        }
        let key = draft.username.lowercased()
        guard try isFree(key, for: nil) else {
            throw ServiceError(.conflict, "user.name_taken", "The user name is taken.")
        }
        let email = draft.email.flatMap { $0.isEmpty ? nil : $0 }
        try requireFree(email: email, for: nil)
        try transaction.execute(
            """
            INSERT INTO users (id, home_tenant_id, username, username_key, email, email_key, first_name, last_name, phone,
                department, locale, time_zone, preferences, notifications_enabled, auth_method, password_hash, pin_hash,
                must_change_password, is_active, version, created_at, updated_at)
            VALUES (\(id), \(tenant), \(draft.username), \(key), \(email), \(email?.lowercased()),
                \(draft.firstName ?? ""), \(draft.lastName ?? ""), \(draft.phone), \(draft.department),
                \(draft.locale ?? "en"), \(draft.timeZone ?? "UTC"), \(JSONValue.emptyObject), \(true),
                \(method.rawValue), \(hashes.password), \(hashes.pin), \(false), \(true), 1, \(time), \(time))
            """)
        return try addMember(
            id, roles: draft.roles ?? [BuiltInRole.viewer.rawValue], seesAll: draft.seesOnlyAssigned != true,
            action: "create")
    }

    /// Whether nobody else signs in by this name or address.
    ///
    /// Names and addresses are one set: else somebody could take another's address as a name, and be signed in for them.
    func isFree(_ key: String, for user: UserID?) throws -> Bool {
        try transaction.rows("SELECT id FROM users WHERE username_key = \(key) OR email_key = \(key)")
            .allSatisfy { try $0.get("id", as: UserID.self) == user }
    }

    private func requireFree(email: String?, for user: UserID?) throws {
        guard let email, try !isFree(email.lowercased(), for: user) else { return }
        throw ServiceError(.conflict, "user.email_taken", "The e-mail address is taken.")
    }

    /// Replaces the roles of a membership; the caller can give only what they hold.
    func setRoles(_ codes: [String], of membership: MembershipID, seesAll: Bool) throws {
        try transaction.execute(
            "DELETE FROM membership_roles WHERE tenant_id = \(tenant) AND membership_id = \(membership)")
        for code in Set(codes).sorted() {
            let builtIn = BuiltInRole(rawValue: code)
            let (role, permissions) = try permissions(ofRole: code)
            try requireGrant(of: permissions, seesAll: seesAll)
            try transaction.execute(
                """
                INSERT INTO membership_roles (id, tenant_id, membership_id, built_in, role_id, granted_by, granted_at)
                VALUES (\(EntryID(at: time)), \(tenant), \(membership), \(builtIn?.rawValue), \(role), \(actor), \(time))
                """)
        }
    }

    /// A role by its code: its row, unless it is built in, and what it grants.
    func permissions(ofRole code: String) throws -> (row: RoleID?, permissions: [Permission]) {
        if let builtIn = BuiltInRole(rawValue: code) { return (nil, builtIn.permissions) }
        let row = try transaction.rows(
            "SELECT id, permissions FROM roles WHERE tenant_id = \(tenant) AND code = \(code)"
        ).first
        guard let row else {
            let own = try transaction.rows(
                "SELECT code FROM roles WHERE tenant_id = \(tenant) ORDER BY code LIMIT 20"
            ).map { try $0.get("code", as: String.self) }
            let known = (BuiltInRole.allCases.map(\.rawValue) + own).joined(separator: ", ")
            throw ServiceError.invalid("roles", "names a role that is not there; there are \(known)")
        }
        return (try row.get("id"), try row.get("permissions", as: JSONValue.self).permissionList)
    }

    func update(_ before: MemberRow, _ patch: UserPatch) throws -> UserView {
        let user = before.user
        let email = patch.email.map { $0.isEmpty ? nil : $0 } ?? user.email
        if patch.email != nil { try requireFree(email: email, for: user.id) }
        try transaction.execute(
            """
            UPDATE users SET email = \(email), email_key = \(email?.lowercased()),
                first_name = \(patch.firstName ?? user.firstName), last_name = \(patch.lastName ?? user.lastName),
                phone = \(patch.phone ?? user.phone), department = \(patch.department ?? user.department),
                locale = \(patch.locale ?? user.locale), time_zone = \(patch.timeZone ?? user.timeZone),
                preferences = \(patch.preferences ?? user.preferences),
                notifications_enabled = \(patch.notificationsEnabled ?? user.notificationsEnabled),
                version = version + 1, updated_at = \(time)
            WHERE id = \(user.id)
            """)
        if let isActive = patch.isActive {
            try transaction.execute(
                """
                UPDATE memberships SET is_active = \(isActive), updated_at = \(time)
                WHERE tenant_id = \(tenant) AND id = \(before.membership)
                """)
        }
        if let roles = patch.roles { try setRoles(roles, of: before.membership, seesAll: before.seesAll) }
        if before.isInCharge, patch.roles != nil || patch.isActive == false { try requireSomebodyInCharge() }
        let view = UserView(try MemberRow.required(user.id.description, in: tenant, transaction))
        try record(
            "update", "user", user.id.description, event: "user.updated",
            before: try JSONValue(describing: UserView(before)), after: try JSONValue(describing: view))
        return view
    }

    /// Refuses a change that leaves the tenant without an active administrator.
    func requireSomebodyInCharge() throws {
        let count: Int = try transaction.rows(
            """
            SELECT count(*) AS n FROM memberships m
            JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
            JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = \(tenant) AND m.is_active AND u.is_active AND u.deleted_at IS NULL
                AND mr.built_in IN \(MemberRow.rolesInCharge)
            """)[0].get("n")
        guard count > 0 else {
            throw ServiceError(.conflict, "user.last_admin", "The last administrator cannot be taken away.")
        }
    }
}
