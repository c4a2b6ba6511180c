import VigilModel
import VigilPorts

extension Site {
    static let columns: SQL = """
        s.id, s.code, s.name, s.kind, s.address, s.time_zone, s.geometry, s.details, s.is_active, s.version,
        s.created_at, s.updated_at
        """

    init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), code: try row.get("code"), name: try row.get("name"), kind: try row.get("kind"),
            address: try row.optional("address"), timeZone: try row.get("time_zone"),
            geometry: try row.optional("geometry"), details: try row.get("details"),
            isActive: try row.get("is_active"), version: try row.get("version"),
            createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"))
    }

    /// A condition that holds for the sites in which the scope shows something: all, or those of visible locations and
    /// devices.
    static func visible(in scope: AccessScope) -> SQL {
        guard scope.visibility != .all else { return "TRUE" }
        return """
            (EXISTS (SELECT 1 FROM locations l WHERE l.tenant_id = s.tenant_id AND l.site_id = s.id
                    AND \(scope.shows(location: "l.id")))
                OR EXISTS (SELECT 1 FROM devices d WHERE d.tenant_id = s.tenant_id AND d.site_id = s.id
                    AND d.deleted_at IS NULL AND \(scope.shows(device: "d.id"))))
            """
    }

    /// A condition that fits a reference: an identifier or a code.
    static func matches(_ reference: String) -> SQL {
        if let id = SiteID(reference) { "s.id = \(id)" } else { "s.code = \(reference)" }
    }

    func insert(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO sites (id, tenant_id, code, name, kind, address, time_zone, geometry, details, is_active, version,
                created_at, updated_at)
            VALUES (\(id), \(tenant), \(code), \(name), \(kind), \(address), \(timeZone), \(geometry), \(details),
                \(isActive), \(version), \(createdAt), \(updatedAt))
            """)
    }

    func update(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE sites SET code = \(code), name = \(name), kind = \(kind), address = \(address),
                time_zone = \(timeZone), geometry = \(geometry), details = \(details), is_active = \(isActive),
                version = \(version), updated_at = \(updatedAt)
            WHERE tenant_id = \(tenant) AND id = \(id)
            """)
    }
}

extension RegistryReading {
    /// - Throws: `notFound` for what is not there, another tenant's, or hidden by the scope.
    func site(_ reference: String) throws -> Site {
        let rows = try transaction.rows(
            """
            SELECT \(Site.columns) FROM sites s
            WHERE s.tenant_id = \(tenant) AND \(Site.matches(reference)) AND \(Site.visible(in: scope))
            """)
        guard let row = rows.first else { throw ServiceError.notFound("site") }
        return try Site(row: row)
    }

    /// Sets the counts of sites: two statements, however many sites.
    func count(in sites: [Site]) throws -> [Site] {
        let ids = sites.map(\.id)
        var locations: [SiteID: Int] = [:]
        var devices: [SiteID: DeviceCounts] = [:]
        for row in try transaction.rows(
            """
            SELECT l.site_id, COUNT(*) AS n FROM locations l
            WHERE l.tenant_id = \(tenant) AND l.site_id IN \(ids) AND \(scope.shows(location: "l.id")) GROUP BY l.site_id
            """)
        {
            locations[try row.get("site_id")] = try row.get("n", as: Int.self)
        }
        for row in try transaction.rows(
            """
            SELECT c.site_id, c.state, COUNT(*) AS n FROM (
                SELECT d.site_id, \(ConnectionSQL.state(at: time)) AS state FROM \(ConnectionSQL.tables)
                WHERE d.tenant_id = \(tenant) AND d.site_id IN \(ids) AND d.deleted_at IS NULL
                    AND NOT d.is_discovered AND \(scope.shows(device: "d.id"))) AS c
            GROUP BY c.site_id, c.state
            """)
        {
            let count: Int = try row.get("n")
            let site: SiteID = try row.get("site_id")
            devices[site, default: DeviceCounts()].add(count, in: try row.get("state"))
        }
        return sites.map { site in
            var site = site
            site.locationCount = locations[site.id] ?? 0
            site.devices = devices[site.id] ?? DeviceCounts()
            return site
        }
    }
}

extension DeviceCounts {
    mutating func add(_ count: Int, in state: ConnectionState) {
        switch state {
        case .online: online += count
        case .warning: warning += count
        case .offline: offline += count
        case .unknown: unknown += count
        }
    }
}
