package import VigilModel
import VigilPorts

/// A tenant that the caller may act in.
package struct TenantView: Codable, Sendable {
    package var id: TenantID
    package var code: String
    package var name: String
    /// provider or client.
    package var kind: String
    package var isActive: Bool
    /// Whether the caller acts in it now.
    package var isCurrent: Bool
    package var version: Int
}

/// What makes a client of a provider.
package struct TenantDraft: Codable, Sendable {
    package var code: String
    package var name: String?

    package init(code: String, name: String? = nil) {
        self.code = code
        self.name = name
    }
}

/// What changes of a tenant; absent members stay.
package struct TenantPatch: Codable, Sendable {
    package var name: String?
    /// A client that is not active lets nobody in.
    package var isActive: Bool?
    /// `provider` lets a tenant that stands alone have clients.
    package var kind: String?
}

extension IdentityService {
    /// The tenants that the caller may act in, by code: their own memberships and, for people of a provider, its clients.
    package func tenants(by principal: Principal) async throws -> [TenantView] {
        try await read(by: principal) { current, transaction in
            let user = principal.user
            return try transaction.rows(
                """
                SELECT * FROM tenants t WHERE t.id = \(current) OR t.parent_id = \(current)
                    OR EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = t.id AND m.user_id = \(user) AND m.is_active)
                ORDER BY code LIMIT 1000
                """
            ).map { try TenantView(row: $0, current: current) }
                .filter { view in
                    // Clients show only to those who may act in them.
                    guard let user, view.id != current else { return true }
                    return try Rights.of(user, in: view.id, transaction) != nil
                }
        }
    }

    /// Makes a client of the caller's tenant, which must be a provider.
    package func createClient(_ draft: TenantDraft, by principal: Principal) async throws -> TenantView {
        try checkTenantCode(draft.code)
        let code = draft.code.lowercased()
        return try await change(by: principal) { change in
            let own = try change.ownTenant()
            guard own.kind == "provider" else {
                throw ServiceError(.conflict, "tenant.no_provider", "Only a provider has clients.")
            }
            guard try change.transaction.rows("SELECT id FROM tenants WHERE code = \(code)").isEmpty else {
                throw ServiceError(.conflict, "tenant.code_taken", "The code is taken.")
            }
            let id = TenantID(at: change.time)
            try change.transaction.execute(
                """
                INSERT INTO tenants (id, code, name, kind, parent_id, is_active, details, version, created_at, updated_at)
                VALUES (\(id), \(code), \(draft.name ?? draft.code), 'client', \(change.tenant), \(true),
                    \(JSONValue.emptyObject), 1, \(change.time), \(change.time))
                """)
            try BuiltInProfiles.seed(tenant: id, at: change.time, in: change.transaction)
            let view = try change.tenantView(id)
            try change.record(
                "create", "tenant", id.description, event: "tenant.created", after: try JSONValue(describing: view))
            return view
        }
    }

    /// Changes the caller's own tenant, or a client of it.
    package func updateTenant(_ reference: String, _ patch: TenantPatch, by principal: Principal) async throws
        -> TenantView
    {
        if let name = patch.name, !(1...150).contains(name.utf8.count) {
            throw ServiceError.invalid("name", "must have 1 to 150 bytes")
        }
        if let kind = patch.kind, !["provider", "client"].contains(kind) {
            throw ServiceError.invalid("kind", "must be provider or client")
        }
        return try await change(by: principal, forgetting: { [.tenant($0.id)] }) { change in
            let condition: SQL =
                if let id = TenantID(reference) { "id = \(id)" } else { "code = \(reference.lowercased())" }
            guard
                let id = try change.transaction.rows(
                    "SELECT id FROM tenants WHERE (id = \(change.tenant) OR parent_id = \(change.tenant)) AND \(condition)"
                ).first?.get("id", as: TenantID.self)
            else { throw ServiceError.notFound("tenant") }
            let before = try change.tenantView(id)
            if id == change.tenant, patch.isActive == false {
                throw ServiceError(.conflict, "tenant.own", "Nobody switches off the tenant they act in.")
            }
            if id != change.tenant, patch.kind != nil {
                throw ServiceError(.conflict, "tenant.kind", "Only a tenant itself becomes a provider.")
            }
            if patch.kind == "client",
                try !change.transaction.rows("SELECT id FROM tenants WHERE parent_id = \(id) LIMIT 1").isEmpty
            {
                throw ServiceError(.conflict, "tenant.has_clients", "A provider with clients stays one.")
            }
            try change.transaction.execute(
                """
                UPDATE tenants SET name = \(patch.name ?? before.name), is_active = \(patch.isActive ?? before.isActive),
                    kind = \(patch.kind ?? before.kind), version = version + 1, updated_at = \(change.time)
                WHERE id = \(id)
                """)
            let view = try change.tenantView(id)
            try change.record(
                "update", "tenant", id.description, event: "tenant.updated",
                before: try JSONValue(describing: before), after: try JSONValue(describing: view))
            return view
        }
    }

    private func checkTenantCode(_ name: String) throws(ServiceError) {
        guard (1...64).contains(name.utf8.count),
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        else { throw ServiceError.invalid("code", "must be 1 to 64 letters, digits, - or _") }
    }
}

extension TenantView {
    init(row: SQLRow, current: TenantID) throws {
        let id: TenantID = try row.get("id")
        self.init(
            id: id, code: try row.get("code"), name: try row.get("name"), kind: try row.get("kind"),
            isActive: try row.get("is_active"), isCurrent: id == current, version: try row.get("version"))
    }
}

extension IdentityChange {
    fileprivate func ownTenant() throws -> TenantView { try tenantView(tenant) }

    fileprivate func tenantView(_ id: TenantID) throws -> TenantView {
        guard let row = try transaction.rows("SELECT * FROM tenants WHERE id = \(id)").first else {
            throw ServiceError.notFound("tenant")
        }
        return try TenantView(row: row, current: tenant)
    }
}
