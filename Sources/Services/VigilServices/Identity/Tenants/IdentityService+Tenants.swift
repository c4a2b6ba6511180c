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

    package init() {}
}

extension IdentityService {
    /// The tenants that the caller may act in, by code: their own memberships and, for people of a provider, its clients.
    ///
    /// Clients that are switched off are there too, for those who can switch them on again.
    package func tenants(page: PageRequest, by principal: Principal) async throws -> Portion<TenantView> {
        let after = try page.cursor.map { try $0.text(at: 0) }
        return try await read(by: principal) { current, transaction in
            let reach = try TenantReach.of(principal, current, transaction)
            let later: SQL = after.map { "AND t.code > \($0)" } ?? ""
            let rows = try transaction.rows(
                "SELECT * FROM tenants t WHERE (\(reach.condition)) \(later) ORDER BY t.code LIMIT \(page.limit + 1)")
            return Portion(of: try rows.map { try TenantView(row: $0, current: current) }, limit: page.limit) {
                [.string($0.code)]
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
            try change.lookAfter(id)
            let view = try change.tenantView(id)
            try change.record(
                "create", "tenant", id.description, event: "tenant.created", after: try JSONValue(describing: view))
            return view
        }
    }

    /// Changes the caller's own tenant, or a client of it.
    ///
    /// - Throws: `notFound` for a client that the caller does not look after; `stale` when `version` is not the present
    ///   one; `conflict` for what a tenant cannot become.
    package func updateTenant(_ reference: String, _ patch: TenantPatch, version: Int?, by principal: Principal)
        async throws -> TenantView
    {
        if let name = patch.name, !(1...150).contains(name.utf8.count) {
            throw ServiceError.invalid("name", "must have 1 to 150 bytes")
        }
        if let kind = patch.kind, !["provider", "client"].contains(kind) {
            throw ServiceError.invalid("kind", "must be provider or client")
        }
        return try await change(by: principal, forgetting: { [.tenant($0.id)] }) { change in
            let before = try change.changeable(reference)
            if let version, version != before.version {
                throw ServiceError(.stale, "tenant.stale", "The tenant was changed by somebody else. Read it again.")
            }
            let id = before.id
            try change.check(patch, of: before)
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

    func checkTenantCode(_ name: String) throws(ServiceError) {
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
    /// The caller's tenant, or a client that they look after.
    fileprivate func changeable(_ reference: String) throws -> TenantView {
        let reach = try TenantReach.of(principal, tenant, transaction)
        let row = try transaction.rows(
            """
            SELECT * FROM tenants t WHERE (t.id = \(tenant) OR t.parent_id = \(tenant)) AND (\(reach.condition))
                AND \(SQL.named(reference.lowercased()))
            """
        ).first
        guard let row else { throw ServiceError.notFound("tenant") }
        return try TenantView(row: row, current: tenant)
    }

    fileprivate func check(_ patch: TenantPatch, of before: TenantView) throws {
        if before.id == tenant, patch.isActive == false {
            throw ServiceError(.conflict, "tenant.own", "Nobody switches off the tenant they act in.")
        }
        guard let kind = patch.kind, kind != before.kind else { return }
        guard before.id == tenant else {
            throw ServiceError(.conflict, "tenant.kind", "Only a tenant itself becomes a provider.")
        }
        if kind == "client",
            try !transaction.rows("SELECT id FROM tenants WHERE parent_id = \(tenant) LIMIT 1").isEmpty
        {
            throw ServiceError(.conflict, "tenant.has_clients", "A provider with clients stays one.")
        }
        if kind == "provider",
            try !transaction.rows("SELECT id FROM tenants WHERE id = \(tenant) AND parent_id IS NOT NULL").isEmpty
        {
            throw ServiceError(.conflict, "tenant.is_client", "The client of a provider has no clients of its own.")
        }
    }

    /// Assigns a client to the one who made it, who would not see it otherwise.
    fileprivate func lookAfter(_ client: TenantID) throws {
        guard !seesAll, let user = principal.user,
            let member = try MemberRow.list("u.id = \(user)", in: tenant, limit: 1, transaction).first
        else { return }
        try assign(
            AssignedTarget(kind: .client, id: EntryID(high: client.high, low: client.low), code: nil),
            to: member.membership)
    }

    fileprivate func ownTenant() throws -> TenantView { try tenantView(tenant) }

    fileprivate func tenantView(_ id: TenantID) throws -> TenantView {
        guard let row = try transaction.rows("SELECT * FROM tenants WHERE id = \(id)").first else {
            throw ServiceError.notFound("tenant")
        }
        return try TenantView(row: row, current: tenant)
    }
}
