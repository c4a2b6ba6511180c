package import VigilModel
import VigilPorts

extension IdentityService {
    /// What the command line on this machine sees of the tenant that it names by code or identifier: all.
    ///
    /// - Throws: `notFound` for a tenant that is not there.
    package func localScope(tenant reference: String) async throws -> AccessScope {
        AccessScope(tenant: try await localTenant(reference))
    }

    /// The command line on this machine, acting in a tenant: it may do everything there.
    package func localPrincipal(tenant reference: String) async throws -> Principal {
        let tenant = try await localTenant(reference)
        return Principal(
            subject: .local, tenant: tenant, permissions: [Permission("*", "*")], scope: AccessScope(tenant: tenant),
            name: "local", remoteAddress: "local")
    }

    private func localTenant(_ reference: String) async throws -> TenantID {
        let found = try await stores.relational.read(in: Self.everywhere) { transaction in
            try Self.tenant(reference, transaction)
        }
        guard let found else { throw ServiceError.notFound("tenant") }
        return found
    }

    /// The tenant with this code, or this identifier.
    static func tenant(_ reference: String, _ transaction: any SQLTransaction) throws -> TenantID? {
        let condition: SQL =
            if let id = TenantID(reference) { "id = \(id)" } else { "code = \(reference.lowercased())" }
        return try transaction.rows("SELECT id FROM tenants WHERE " + condition).first?.get("id")
    }
}

/// A user that the command line makes, with the tenant.
package struct LocalUserDraft: Codable, Sendable {
    /// The tenant's code; the tenant is made when it is new.
    package var tenant: String
    package var username: String
    package var password: String
    package var roles: [String]?

    package init(tenant: String, username: String, password: String, roles: [String]?) {
        self.tenant = tenant
        self.username = username
        self.password = password
        self.roles = roles
    }
}

extension IdentityService {
    /// Makes a user, and the tenant when it is new: how an installation begins.
    package func createLocalUser(_ draft: LocalUserDraft) async throws -> UserView {
        try await createLocalTenant(draft.tenant)
        let principal = try await localPrincipal(tenant: draft.tenant)
        return try await createUser(
            UserDraft(username: draft.username, password: draft.password, roles: draft.roles ?? ["admin"]),
            by: principal)
    }

    /// Makes a tenant, unless one of that code is there.
    package func createLocalTenant(_ name: String) async throws {
        let code = name.lowercased()
        guard (1...64).contains(code.utf8.count),
            code.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        else {
            throw ServiceError.invalid("tenant", "must be 1 to 64 letters, digits, - or _")
        }
        let now = clock.now()
        try await stores.relational.write(in: Self.everywhere) { transaction in
            guard try transaction.rows("SELECT id FROM tenants WHERE code = \(code)").isEmpty else { return }
            let id = TenantID(at: now)
            try transaction.execute(
                """
                INSERT INTO tenants (id, code, name, kind, is_active, details, version, created_at, updated_at)
                VALUES (\(id), \(code), \(name), 'client', \(true), \(JSONValue.emptyObject), 1, \(now), \(now))
                """)
            try BuiltInProfiles.seed(tenant: id, at: now, in: transaction)
            try transaction.appendToOutbox(
                OutboxMessage(
                    tenant: id, type: "tenant.created", aggregate: "tenant", aggregateID: id.description,
                    data: .object(["code": .string(code)]), time: now))
        }
    }

    /// Makes an API token of a user, by name.
    package func createLocalToken(tenant: String, username: String, name: String) async throws -> NewToken {
        let principal = try await localPrincipal(tenant: tenant)
        let user = try await user(username, by: principal)
        return try await createToken(TokenDraft(name: name), for: user.id, by: principal)
    }

    /// The codes of the first hundred tenants.
    package func tenantCodes() async throws -> [String] {
        try await stores.relational.read(in: Self.everywhere) { transaction in
            try transaction.rows("SELECT code FROM tenants ORDER BY code LIMIT 100").map { try $0.get("code") }
        }
    }

    /// Whether anybody can sign in.
    package func hasUsers() async throws -> Bool {
        try await stores.relational.read(in: Self.everywhere) { transaction in
            try !transaction.rows("SELECT id FROM users LIMIT 1").isEmpty
        }
    }
}
