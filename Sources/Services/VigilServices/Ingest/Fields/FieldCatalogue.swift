package import VigilModel
package import VigilPorts

/// A field that devices report and nobody has described.
package struct UnknownField: Codable, Sendable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case new
        /// It is a metric like any other now.
        case promoted
        case ignored
    }

    package var id: EntryID
    /// The metric's name.
    package var name: String
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    /// How many values came.
    package var occurrences: Int
    /// float, integer, boolean, text or object, as the newest values are.
    package var kind: String
    /// Every kind that values had; of a field that changed its kind, both are kept.
    package var kinds: [String]
    /// As devices said, as its name suggests, or as somebody set it.
    package var unit: String?
    /// At most 50 distinct values.
    package var samples: [JSONValue]
    /// At most 100 devices.
    package var devices: [String]
    package var state: State
    package var version: Int
}

/// What somebody decides about a field.
package struct FieldDecision: Codable, Sendable {
    package var state: UnknownField.State
    /// The unit of its values from now on; absent keeps the inferred one.
    package var unit: String?

    package init(state: UnknownField.State, unit: String? = nil) {
        self.state = state
        self.unit = unit
    }
}

/// The catalogue of unknown fields.
package final class FieldCatalogue: Sendable {
    private let stores: Stores
    private let clock: any TimeSource
    private let sightings = FieldSightings()
    static let interval = Span.seconds(2)

    package init(stores: Stores, clock: any TimeSource) {
        self.stores = stores
        self.clock = clock
    }

    /// Notes what a stored batch brought.
    func note(_ prepared: PreparedRows, tenant: TenantID) async {
        guard prepared.parts.contains(where: { !$0.undescribed.isEmpty }) else { return }
        await sightings.note(prepared, tenant: tenant, at: clock.now())
    }

    /// Writes what was noted, again and again until the task is cancelled.
    package func run() async throws {
        var isLoaded = false
        while true {
            do {
                if !isLoaded { try await loadDecided() }
                isLoaded = true
                try await clock.wait(for: Self.interval)
                try await save()
            } catch let error as StoreError where error.mayBeTriedAgain {
                // Counts of a catalogue are not worth holding readings back for.
                if !isLoaded { try await clock.wait(for: Self.interval) }
            }
        }
    }

    private func loadDecided() async throws {
        let rows = try await stores.relational.read(in: SystemScope.allTenants("field catalogue")) { transaction in
            try transaction.rows("SELECT tenant_id, name FROM unknown_fields WHERE state <> 'new'").map {
                (try $0.get("tenant_id", as: TenantID.self), try $0.get("name", as: String.self))
            }
        }
        for (tenant, names) in Dictionary(grouping: rows, by: \.0) {
            await sightings.settle(Set(names.map(\.1)), tenant: tenant)
        }
    }

    /// Writes at a stop what was noted since the last time, as far as the store still takes it.
    package func end() async {
        // Counts of a catalogue are not worth holding a stop up for.
        try? await save()
    }

    /// Writes what was noted since the last time.
    package func save() async throws {
        for (tenant, fields) in await sightings.take() {
            let now = clock.now()
            try await stores.relational.write(in: SystemScope.tenant(tenant, "field catalogue")) { transaction in
                let known = try transaction.rows(
                    "SELECT * FROM unknown_fields WHERE tenant_id = \(tenant) AND name IN \(Array(fields.keys))"
                ).map(UnknownField.init(row:))
                let byName = Dictionary(known.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
                let count =
                    try transaction.rows("SELECT COUNT(*) AS n FROM unknown_fields WHERE tenant_id = \(tenant)").first?
                    .get("n", as: Int.self) ?? 0
                var room = FieldSightings.fieldsMax - count
                for (name, sighting) in fields.sorted(by: { $0.key < $1.key }) {
                    if let field = byName[name] {
                        try field.adding(sighting).update(tenant: tenant, in: transaction)
                    } else if room > 0 {
                        room -= 1
                        let field = UnknownField(name, sighting, at: now)
                        try field.insert(tenant: tenant, in: transaction)
                        try transaction.appendToOutbox(field.message("discovered", tenant: tenant, at: now))
                    }
                }
            }
        }
    }

    // MARK: - For people

    /// Fields by name.
    package func fields(
        state: UnknownField.State?, search: String?, _ page: PageRequest, in scope: AccessScope
    ) async throws -> Portion<UnknownField> {
        let tenant = try AlertingService.tenant(of: scope)
        let after = try page.cursor?.text(at: 0)
        let rows = try await stores.relational.read(in: scope) { transaction in
            var sql: SQL = "SELECT * FROM unknown_fields WHERE tenant_id = \(tenant)"
            if let state { sql += " AND state = \(state.rawValue)" }
            if let search { sql += " AND " + transaction.dialect.containsText("name", search) }
            if let after { sql += " AND name > \(after)" }
            return try transaction.rows(sql + " ORDER BY name LIMIT \(page.limit + 1)").map(UnknownField.init(row:))
        }
        let portion = Portion(of: rows, limit: page.limit) { [.string($0.name)] }
        return Portion(items: portion.items.compactMap { $0.shown(in: scope) }, next: portion.next)
    }

    /// A field by its name or identifier.
    package func field(_ reference: String, in scope: AccessScope) async throws -> UnknownField {
        let tenant = try AlertingService.tenant(of: scope)
        return try await stores.relational.read(in: scope) { transaction in
            guard
                let field = try Self.find(reference, tenant: tenant, in: transaction)?.shown(in: scope)
            else { throw ServiceError.notFound("field") }
            return field
        }
    }

    /// Makes a field a metric like any other, leaves it aside, or forgets what was decided.
    package func decide(_ reference: String, _ decision: FieldDecision, version: Int?, by principal: Principal)
        async throws -> UnknownField
    {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        if let unit = decision.unit, Unit(unit) == nil { throw ServiceError.invalid("unit", "is not a known unit") }
        let now = clock.now()
        let (field, names) = try await stores.relational.write(in: scope) { transaction in
            guard let old = try Self.find(reference, tenant: tenant, in: transaction)?.shown(in: scope) else {
                throw ServiceError.notFound("field")
            }
            if let version, version != old.version { throw StoreError(.stale, "A field was changed by somebody else") }
            var field = old
            field.state = decision.state
            field.unit = decision.unit.flatMap { Unit($0)?.name } ?? old.unit
            field.version += 1
            try field.update(tenant: tenant, in: transaction)
            try AuditTrail.record(
                AuditRecord(
                    by: principal, tenant: tenant, decision.state.rawValue, "field", field.id.description,
                    before: try JSONValue(describing: old), after: try JSONValue(describing: field), at: now),
                in: transaction)
            try transaction.appendToOutbox(field.message(decision.state.rawValue, tenant: tenant, at: now))
            let names = try transaction.rows(
                "SELECT name FROM unknown_fields WHERE tenant_id = \(tenant) AND state <> 'new'"
            ).map { try $0.get("name", as: String.self) }
            return (field, Set(names))
        }
        await sightings.settle(names, tenant: tenant)
        return field
    }

    private static func find(_ reference: String, tenant: TenantID, in transaction: any SQLTransaction) throws
        -> UnknownField?
    {
        let condition: SQL = if let id = EntryID(reference) { "id = \(id)" } else { "name = \(reference)" }
        return try transaction.rows("SELECT * FROM unknown_fields WHERE tenant_id = \(tenant) AND \(condition)").first
            .map(UnknownField.init(row:))
    }
}
