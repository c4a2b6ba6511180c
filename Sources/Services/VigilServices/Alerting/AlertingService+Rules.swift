package import VigilModel
import VigilPorts

extension AlertingService {
    /// Rules by name.
    package func rules(after name: String?, limit: Int, in scope: AccessScope) async throws -> [RuleView] {
        let tenant = try Self.tenant(of: scope)
        return try await stores.relational.read(in: scope) { transaction in
            try transaction.rows(
                """
                SELECT * FROM rules WHERE tenant_id = \(tenant) AND name > \(name ?? "") ORDER BY name LIMIT \(limit)
                """
            ).map { RuleView(try Rule(row: $0)) }
        }
    }

    package func rule(_ id: RuleID, in scope: AccessScope) async throws -> RuleView {
        let tenant = try Self.tenant(of: scope)
        return try await stores.relational.read(in: scope) { transaction in
            RuleView(try Self.rule(id, tenant: tenant, in: transaction))
        }
    }

    package func createRule(_ form: RuleForm, by principal: Principal) async throws -> RuleView {
        let scope = try principal.requiredScope()
        let tenant = try Self.tenant(of: scope)
        let definition = try await resolved(form, in: scope).definition()
        try Self.requireReach(of: definition, scope)
        let now = clock.now()
        let rule = Rule(
            id: RuleID(at: now), tenant: tenant, definition: definition, version: 1, createdAt: now, updatedAt: now)
        let rulesMax = settings.rulesMax
        try await stores.relational.write(in: scope) { transaction in
            let count = try transaction.rows("SELECT COUNT(*) AS n FROM rules WHERE tenant_id = \(tenant)").first?
                .get("n", as: Int.self)
            guard (count ?? 0) < rulesMax else {
                throw ServiceError(.conflict, "rule.limit", "There are as many rules as there may be.")
            }
            try transaction.execute(
                """
                INSERT INTO rules (id, tenant_id, name, is_enabled, condition, metric, severity, type, definition,
                    version, created_at, updated_at)
                VALUES (\(rule.id), \(tenant), \(definition.name), \(definition.isEnabled), \(definition.test.name),
                    \(definition.metric), \(definition.severity), \(definition.type),
                    \(try JSONValue(describing: RuleForm(definition))), 1, \(now), \(now))
                """)
            try Self.record("create", rule, before: nil, by: principal, at: now, in: transaction)
        }
        await shelf.changed(tenant)
        return RuleView(rule)
    }

    /// - Parameter version: The version that the caller knows; another one is `stale`.
    package func updateRule(_ id: RuleID, to form: RuleForm, version: Int?, by principal: Principal) async throws
        -> RuleView
    {
        let scope = try principal.requiredScope()
        let tenant = try Self.tenant(of: scope)
        let definition = try await resolved(form, in: scope).definition()
        try Self.requireReach(of: definition, scope)
        let now = clock.now()
        let rule = try await stores.relational.write(in: scope) { transaction in
            let old = try Self.rule(id, tenant: tenant, in: transaction)
            try Self.requireReach(of: old.definition, scope)
            if let version, version != old.version { throw StoreError(.stale, "A rule was changed by somebody else") }
            var rule = old
            rule.definition = definition
            rule.version += 1
            rule.updatedAt = now
            try transaction.execute(
                """
                UPDATE rules SET name = \(definition.name), is_enabled = \(definition.isEnabled),
                    condition = \(definition.test.name), metric = \(definition.metric),
                    severity = \(definition.severity), type = \(definition.type),
                    definition = \(try JSONValue(describing: RuleForm(definition))), version = \(rule.version),
                    updated_at = \(now)
                WHERE tenant_id = \(tenant) AND id = \(id)
                """)
            // What was judged by the old words says nothing about the new ones.
            try transaction.execute(
                "DELETE FROM rule_conditions WHERE tenant_id = \(tenant) AND rule_key = \(id.description)")
            try Self.record("update", rule, before: old, by: principal, at: now, in: transaction)
            return rule
        }
        await shelf.changed(tenant)
        return RuleView(rule)
    }

    /// Removes a rule; its alerts stay.
    package func deleteRule(_ id: RuleID, by principal: Principal) async throws {
        let scope = try principal.requiredScope()
        let tenant = try Self.tenant(of: scope)
        let now = clock.now()
        try await stores.relational.write(in: scope) { transaction in
            let old = try Self.rule(id, tenant: tenant, in: transaction)
            try Self.requireReach(of: old.definition, scope)
            try transaction.execute(
                "DELETE FROM rule_conditions WHERE tenant_id = \(tenant) AND rule_key = \(id.description)")
            try transaction.execute("DELETE FROM rules WHERE tenant_id = \(tenant) AND id = \(id)")
            try Self.record("delete", old, before: old, by: principal, at: now, in: transaction)
        }
        await shelf.changed(tenant)
    }

    // MARK: - Pieces

    /// A rule judges for everybody: who sees only some devices makes, changes and removes rules of those alone.
    private static func requireReach(of definition: RuleDefinition, _ scope: AccessScope) throws(ServiceError) {
        guard !scope.isWhole else { return }
        let devices = definition.scope.devices
        guard !devices.isEmpty, devices.allSatisfy({ scope.shows($0) }) else {
            throw ServiceError(
                .forbidden, "rule.reach",
                "The rule reaches devices that you do not see: yours can be named in scope.devices.")
        }
    }

    static func tenant(of scope: AccessScope) throws(ServiceError) -> TenantID {
        guard let tenant = scope.tenant else {
            throw ServiceError(.invalid, "tenant.required", "Name a tenant.")
        }
        return tenant
    }

    private static func rule(_ id: RuleID, tenant: TenantID, in transaction: any SQLTransaction) throws -> Rule {
        guard
            let row = try transaction.rows("SELECT * FROM rules WHERE tenant_id = \(tenant) AND id = \(id)").first
        else { throw ServiceError.notFound("rule") }
        return try Rule(row: row)
    }

    private static func record(
        _ action: String, _ rule: Rule, before: Rule?, by principal: Principal, at now: Timestamp,
        in transaction: any SQLTransaction
    ) throws {
        let view = try JSONValue(describing: RuleView(rule))
        try AuditTrail.record(
            AuditRecord(
                by: principal, tenant: rule.tenant, action, "rule", rule.id.description,
                before: try before.map { try JSONValue(describing: RuleView($0)) },
                after: action == "delete" ? nil : view,
                at: now), in: transaction)
        try transaction.appendToOutbox(
            OutboxMessage(
                tenant: rule.tenant, type: "rule.\(action)d", aggregate: "rule", aggregateID: rule.id.description,
                data: view, time: now))
    }

    /// The form with codes replaced by identifiers.
    private func resolved(_ form: RuleForm, in scope: AccessScope) async throws -> RuleForm {
        let tenant = try Self.tenant(of: scope)
        guard let wanted = form.scope else { return form }
        var form = form
        var devices: [String] = []
        for reference in wanted.devices ?? [] {
            guard let entry = try await directory.find(reference, tenant: tenant), scope.shows(entry.id) else {
                throw ServiceError.invalid("scope.devices", "names an unknown device")
            }
            devices.append(entry.id.description)
        }
        if !devices.isEmpty { form.scope?.devices = devices }
        let places: [(WritableKeyPath<RuleForm.Scope, String?>, SQL, String)] = [
            (\.site, "sites", "scope.site"), (\.location, "locations", "scope.location"),
            (\.profile, "profiles", "scope.profile"),
        ]
        for (path, table, field) in places {
            guard let reference = wanted[keyPath: path] else { continue }
            let id = try await stores.relational.read(in: scope) { transaction in
                try transaction.rows(
                    "SELECT id FROM \(table) WHERE tenant_id = \(tenant) AND \(SQL.named(reference))"
                ).first?.get("id", as: String.self)
            }
            guard let id else { throw ServiceError.invalid(field, "names something unknown") }
            form.scope?[keyPath: path] = id
        }
        return form
    }
}
