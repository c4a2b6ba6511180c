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
        let hash = try await hasher.withPlace { place in try await place.hash(Array(draft.password.utf8)) }
        return try await change(by: principal, forgetting: { [.user($0.id)] }) { change in
            try change.createUser(draft, passwordHash: hash)
        }
    }

    /// Changes a member.
    ///
    /// Their roles and state end what is remembered of their rights at once.
    /// - Throws: `conflict`, code `user.last_admin`, when nobody would be left who can do everything.
    package func updateUser(_ reference: String, _ patch: UserPatch, version: Int?, by principal: Principal)
        async throws
        -> UserView
    {
        try await change(by: principal, forgetting: { [.user($0.id)] }) { change in
            let before = try MemberRow.required(reference, in: change.tenant, change.transaction)
            if let version, version != before.user.version {
                throw ServiceError(.stale, "user.stale", "The user was changed by somebody else. Read it again.")
            }
            return try change.update(before, patch)
        }
    }

    private func check(_ draft: UserDraft) throws {
        guard (1...150).contains(draft.username.utf8.count),
            draft.username.allSatisfy({ $0.isLetter || $0.isNumber || "._-@+".contains($0) })
        else {
            throw ServiceError.invalid("username", "must be 1 to 150 letters, digits or . _ - @ +", code: "user.name")
        }
        try checkPassword(draft.password, field: "password")
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
    func createUser(_ draft: UserDraft, passwordHash: String) throws -> UserView {
        let id = UserID(at: time)
        let key = draft.username.lowercased()
        let taken = try transaction.rows("SELECT id FROM users WHERE username_key = \(key)")
        guard taken.isEmpty else { throw ServiceError(.conflict, "user.name_taken", "The user name is taken.") }
        let email = draft.email.flatMap { $0.isEmpty ? nil : $0 }
        if let email, try !transaction.rows("SELECT id FROM users WHERE email_key = \(email.lowercased())").isEmpty {
            throw ServiceError(.conflict, "user.email_taken", "The e-mail address is taken.")
        }
        try transaction.execute(
            """
            INSERT INTO users (id, home_tenant_id, username, username_key, email, email_key, first_name, last_name, phone,
                department, locale, time_zone, preferences, notifications_enabled, auth_method, password_hash,
                must_change_password, is_active, version, created_at, updated_at)
            VALUES (\(id), \(tenant), \(draft.username), \(key), \(email), \(email?.lowercased()),
                \(draft.firstName ?? ""), \(draft.lastName ?? ""), \(draft.phone), \(draft.department),
                \(draft.locale ?? "en"), \(draft.timeZone ?? "UTC"), \(JSONValue.emptyObject), \(true),
                \(AuthMethod.password.rawValue), \(passwordHash), \(false), \(true), 1, \(time), \(time))
            """)
        let membership = MembershipID(at: time)
        let seesAll = draft.seesOnlyAssigned != true
        let visibility = seesAll ? "all" : "assigned"
        try transaction.execute(
            """
            INSERT INTO memberships (id, tenant_id, user_id, visibility, is_active, created_at, updated_at)
            VALUES (\(membership), \(tenant), \(id), \(visibility), \(true), \(time), \(time))
            """)
        try setRoles(draft.roles ?? [BuiltInRole.viewer.rawValue], of: membership, seesAll: seesAll)
        let view = UserView(try MemberRow.required(id.description, in: tenant, transaction))
        try record(
            "create", "user", id.description, event: "user.created", after: try JSONValue(describing: view))
        return view
    }

    /// Replaces the roles of a membership; the caller can give only what they hold.
    func setRoles(_ codes: [String], of membership: MembershipID, seesAll: Bool) throws {
        try transaction.execute(
            "DELETE FROM membership_roles WHERE tenant_id = \(tenant) AND membership_id = \(membership)")
        for code in Set(codes).sorted() {
            let builtIn = BuiltInRole(rawValue: code)
            var role: RoleID?
            var permissions = builtIn?.permissions ?? []
            if builtIn == nil {
                let row = try transaction.rows(
                    "SELECT id, permissions FROM roles WHERE tenant_id = \(tenant) AND code = \(code)"
                ).first
                guard let row else { throw ServiceError.invalid("roles", "names a role that is not there") }
                role = try row.get("id", as: RoleID.self)
                permissions = try row.get("permissions", as: JSONValue.self).permissionList
            }
            try requireGrant(of: permissions, seesAll: seesAll)
            try transaction.execute(
                """
                INSERT INTO membership_roles (id, tenant_id, membership_id, built_in, role_id, granted_by, granted_at)
                VALUES (\(EntryID(at: time)), \(tenant), \(membership), \(builtIn?.rawValue), \(role), \(actor), \(time))
                """)
        }
    }

    func update(_ before: MemberRow, _ patch: UserPatch) throws -> UserView {
        let user = before.user
        let email = patch.email.map { $0.isEmpty ? nil : $0 } ?? user.email
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
        try requireSomebodyInCharge()
        let view = UserView(try MemberRow.required(user.id.description, in: tenant, transaction))
        try record(
            "update", "user", user.id.description, event: "user.updated",
            before: try JSONValue(describing: UserView(before)), after: try JSONValue(describing: view))
        return view
    }

    /// Refuses a change that leaves the tenant without an active administrator.
    private func requireSomebodyInCharge() throws {
        let count: Int = try transaction.rows(
            """
            SELECT count(*) AS n FROM memberships m
            JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
            JOIN users u ON u.id = m.user_id
            WHERE m.tenant_id = \(tenant) AND m.is_active AND u.is_active AND u.deleted_at IS NULL
                AND mr.built_in IN \(["admin", "super_user"])
            """)[0].get("n")
        guard count > 0 else {
            throw ServiceError(.conflict, "user.last_admin", "The last administrator cannot be taken away.")
        }
    }
}
