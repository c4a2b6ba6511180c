package import VigilModel
import VigilPorts

/// A role and what it allows.
package struct RoleView: Codable, Sendable {
    package var code: String
    package var name: String
    package var description: String
    package var permissions: [Permission]
    /// Comes with Vigil: it cannot be changed or deleted.
    package var isBuiltIn: Bool
    package var version: Int
}

/// What makes or replaces a role of a tenant.
package struct RoleDraft: Codable, Sendable {
    /// Letters, digits, `-` and `_`; of a built-in role it cannot be.
    package var code: String
    package var name: String
    package var description: String?
    package var permissions: [Permission]

    package init(code: String, name: String, description: String? = nil, permissions: [Permission]) {
        self.code = code
        self.name = name
        self.description = description
        self.permissions = permissions
    }
}

extension IdentityService {
    /// Roles of a tenant.
    static let rolesMax = 200

    /// The built-in roles, then the tenant's own by their codes.
    package func roles(by principal: Principal) async throws -> [RoleView] {
        let builtIn = BuiltInRole.allCases.map {
            RoleView(
                code: $0.rawValue, name: $0.title, description: $0.summary, permissions: $0.permissions,
                isBuiltIn: true, version: 1)
        }
        return builtIn
            + (try await read(by: principal) { tenant, transaction in
                try transaction.rows("SELECT * FROM roles WHERE tenant_id = \(tenant) ORDER BY code").map(
                    RoleView.init(row:))
            })
    }

    /// Makes a role of the caller's tenant, of permissions that the caller holds.
    ///
    /// - Throws: `conflict`, code `role.code_taken`; `forbidden`, code `grant.beyond`.
    package func createRole(_ draft: RoleDraft, by principal: Principal) async throws -> RoleView {
        try Self.check(draft)
        return try await change(by: principal) { change in
            try change.requireGrant(of: draft.permissions, seesAll: false)
            let (transaction, tenant) = (change.transaction, change.tenant)
            let count: Int =
                try transaction.rows("SELECT count(*) AS n FROM roles WHERE tenant_id = \(tenant)").first?.get("n") ?? 0
            guard count < Self.rolesMax else {
                throw ServiceError(.tooMany, "role.limit", "A tenant has at most \(Self.rolesMax) roles of its own.")
            }
            guard
                try transaction.rows("SELECT id FROM roles WHERE tenant_id = \(tenant) AND code = \(draft.code)")
                    .isEmpty
            else { throw ServiceError(.conflict, "role.code_taken", "A role of that code is there.") }
            let id = RoleID(at: change.time)
            try transaction.execute(
                """
                INSERT INTO roles (id, tenant_id, code, name, description, permissions, version, created_at, updated_at)
                VALUES (\(id), \(tenant), \(draft.code), \(draft.name), \(draft.description ?? ""),
                    \(try JSONValue(describing: draft.permissions)), 1, \(change.time), \(change.time))
                """)
            let view = try change.role(draft.code)
            try change.record(
                "create", "role", id.description, event: "role.created", after: try JSONValue(describing: view))
            return view
        }
    }

    /// Replaces a role's name, description and permissions; whoever has it has the new rights at once.
    package func updateRole(_ code: String, _ draft: RoleDraft, version: Int?, by principal: Principal) async throws
        -> RoleView
    {
        try Self.check(draft)
        return try await change(by: principal, forgetting: { _ in Self.wholeTenant(of: principal) }) { change in
            let before = try change.role(code)
            if let version, version != before.version {
                throw ServiceError(.stale, "role.stale", "The role was changed by somebody else. Read it again.")
            }
            // Both what it was and what it becomes must be the caller's to give.
            try change.requireGrant(of: before.permissions + draft.permissions, seesAll: false)
            try change.transaction.execute(
                """
                UPDATE roles SET code = \(draft.code), name = \(draft.name), description = \(draft.description ?? ""),
                    permissions = \(try JSONValue(describing: draft.permissions)), version = version + 1,
                    updated_at = \(change.time)
                WHERE tenant_id = \(change.tenant) AND code = \(code)
                """)
            let view = try change.role(draft.code)
            try change.record(
                "update", "role", draft.code, event: "role.updated", before: try JSONValue(describing: before),
                after: try JSONValue(describing: view))
            return view
        }
    }

    /// Removes a role that nobody has.
    ///
    /// - Throws: `conflict`, code `role.in_use`.
    package func deleteRole(_ code: String, by principal: Principal) async throws {
        try await change(by: principal) { change in
            let before = try change.role(code)
            try change.requireGrant(of: before.permissions, seesAll: false)
            let users = try change.transaction.rows(
                """
                SELECT mr.id FROM membership_roles mr JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
                WHERE r.tenant_id = \(change.tenant) AND r.code = \(code) LIMIT 1
                """)
            guard users.isEmpty else {
                throw ServiceError(.conflict, "role.in_use", "Somebody has this role; take it away first.")
            }
            try change.transaction.execute("DELETE FROM roles WHERE tenant_id = \(change.tenant) AND code = \(code)")
            try change.record(
                "delete", "role", code, event: "role.deleted", before: try JSONValue(describing: before))
        }
    }

    private static func check(_ draft: RoleDraft) throws(ServiceError) {
        guard (1...64).contains(draft.code.utf8.count),
            draft.code.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        else { throw .invalid("code", "must be 1 to 64 letters, digits, - or _") }
        guard BuiltInRole(rawValue: draft.code) == nil else { throw .invalid("code", "is that of a built-in role") }
        guard (1...150).contains(draft.name.utf8.count) else { throw .invalid("name", "must have 1 to 150 bytes") }
        guard (draft.description ?? "").utf8.count <= 2000 else {
            throw .invalid("description", "must have at most 2000 bytes")
        }
        guard (1...500).contains(draft.permissions.count) else {
            throw .invalid("permissions", "must be 1 to 500")
        }
    }

    static func wholeTenant(of principal: Principal) -> [Forgotten] {
        principal.tenant.map { [.tenant($0)] } ?? principal.scope?.tenant.map { [.tenant($0)] } ?? []
    }
}

extension RoleView {
    init(row: SQLRow) throws {
        self.init(
            code: try row.get("code"), name: try row.get("name"), description: try row.get("description"),
            permissions: try row.get("permissions", as: JSONValue.self).permissionList, isBuiltIn: false,
            version: try row.get("version"))
    }
}

extension IdentityChange {
    fileprivate func role(_ code: String) throws -> RoleView {
        guard
            let row = try transaction.rows("SELECT * FROM roles WHERE tenant_id = \(tenant) AND code = \(code)").first
        else { throw ServiceError.notFound("role") }
        return try RoleView(row: row)
    }
}
