import VigilModel
import VigilPorts

extension Location {
    static let columns: SQL = """
        l.id, l.site_id, l.parent_id, l.code, l.name, l.kind, l.position, l.geometry, l.details, l.is_active, l.version,
        l.created_at, l.updated_at
        """

    init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), site: try row.get("site_id"), parent: try row.optional("parent_id"),
            code: try row.get("code"), name: try row.get("name"), kind: try row.get("kind"),
            position: try row.get("position"), geometry: try row.optional("geometry"),
            details: try row.get("details"), isActive: try row.get("is_active"), version: try row.get("version"),
            createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"))
    }

    static func matches(_ reference: String) -> SQL {
        if let id = LocationID(reference) { "l.id = \(id)" } else { "l.code = \(reference)" }
    }

    func insert(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO locations (id, tenant_id, site_id, parent_id, code, name, kind, position, geometry, details,
                is_active, version, created_at, updated_at)
            VALUES (\(id), \(tenant), \(site), \(parent), \(code), \(name), \(kind), \(position), \(geometry), \(details),
                \(isActive), \(version), \(createdAt), \(updatedAt))
            """)
    }

    func update(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE locations SET site_id = \(site), parent_id = \(parent), code = \(code), name = \(name),
                kind = \(kind), position = \(position), geometry = \(geometry), details = \(details),
                is_active = \(isActive), version = \(version), updated_at = \(updatedAt)
            WHERE tenant_id = \(tenant) AND id = \(id)
            """)
    }
}

extension RegistryReading {
    /// - Throws: `notFound` for what is not there, another tenant's, or hidden by the scope.
    func location(_ reference: String) throws -> Location {
        let rows = try transaction.rows(
            """
            SELECT \(Location.columns) FROM locations l
            WHERE l.tenant_id = \(tenant) AND \(Location.matches(reference)) AND \(scope.shows(location: "l.id"))
            """)
        guard let row = rows.first else { throw ServiceError.notFound("location") }
        return try Location(row: row)
    }

    /// The locations of a site; those that the scope shows unless `whole`.
    func tree(of site: SiteID, whole: Bool = false) throws -> LocationTree {
        LocationTree(
            try transaction.rows(
                """
                SELECT \(Location.columns) FROM locations l
                WHERE l.tenant_id = \(tenant) AND l.site_id = \(site)
                    AND \(whole ? "TRUE" : scope.shows(location: "l.id"))
                """
            ).map(Location.init(row:)))
    }

    /// The location with everything below it, as a statement that gives `id`.
    func subtree(of root: LocationID) -> SQL {
        """
        WITH RECURSIVE subtree(id) AS (
            SELECT id FROM locations WHERE tenant_id = \(tenant) AND id = \(root)
            UNION SELECT c.id FROM locations c JOIN subtree t ON c.parent_id = t.id WHERE c.tenant_id = \(tenant))
        SELECT id FROM subtree
        """
    }
}
