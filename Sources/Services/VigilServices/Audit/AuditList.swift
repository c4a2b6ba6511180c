package import VigilModel
import VigilPorts

/// Reads the trail.
package struct AuditList: Sendable {
    /// Who did what to what.
    package struct Entry: Codable, Sendable {
        package var id: EntryID
        package var time: Timestamp
        /// user, token, device, local, system or anonymous.
        package var actorKind: String
        package var actor: String?
        package var actorName: String
        package var address: String?
        package var action: String
        package var resource: String
        package var resourceID: String
        package var device: DeviceID?
        package var before: JSONValue?
        package var after: JSONValue?
    }

    /// Which entries a list holds.
    package struct Filter: Sendable {
        package var resource: String?
        package var resourceID: String?
        package var action: String?
        package var actor: UserID?
        package var from: Timestamp?
        package var to: Timestamp?

        package init() {}
    }

    private let stores: Stores

    package init(stores: Stores) {
        self.stores = stores
    }

    /// Entries of the scope's tenant, newest first.
    package func entries(_ filter: Filter, _ page: PageRequest, in scope: AccessScope) async throws -> Portion<Entry> {
        let tenant = try AlertingService.tenant(of: scope)
        let cursor = try page.cursor?.text(at: 0)
        let rows = try await stores.relational.read(.recent, in: scope) { transaction in
            var sql: SQL = "SELECT * FROM audit_entries WHERE tenant_id = \(tenant)"
            if let resource = filter.resource { sql += " AND resource = \(resource)" }
            if let id = filter.resourceID { sql += " AND resource_id = \(id)" }
            if let action = filter.action { sql += " AND action = \(action)" }
            if let actor = filter.actor { sql += " AND actor_id = \(actor)" }
            if let from = filter.from { sql += " AND time >= \(from)" }
            if let to = filter.to { sql += " AND time < \(to)" }
            if case .assigned(let devices, _) = scope.visibility { sql += " AND device_id IN \(Array(devices))" }
            if let cursor { sql += " AND id < \(cursor)" }
            return try transaction.rows(sql + " ORDER BY id DESC LIMIT \(page.limit + 1)").map(Entry.init(row:))
        }
        return Portion(of: rows, limit: page.limit) { [.string($0.id.description)] }
    }
}

extension AuditList.Entry {
    fileprivate init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), time: try row.get("time"), actorKind: try row.get("actor_kind"),
            actor: try row.optional("actor_id"), actorName: try row.get("actor_name"),
            address: try row.optional("address"), action: try row.get("action"), resource: try row.get("resource"),
            resourceID: try row.get("resource_id"), device: try row.optional("device_id"),
            before: try row.optional("value_before"), after: try row.optional("value_after"))
    }
}
