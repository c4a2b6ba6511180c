import VigilModel
import VigilPorts

/// A row of `devices` as it is stored: what a change changes.
struct DeviceRow: Sendable, Hashable {
    var id: DeviceID
    var code: String?
    var name: String
    var kind: String
    var handler: String?
    var profile: ProfileID?
    var owner: UserID?
    var site: SiteID?
    var location: LocationID?
    var status: AdministrativeStatus
    var expectedInterval: Span?
    var connection: JSONValue
    var metadata: JSONValue
    var isDiscovered: Bool
    var version: Int
    var createdAt: Timestamp
    var updatedAt: Timestamp
    var deletedAt: Timestamp?

    static let columns: SQL = """
        d.id, d.code, d.name, d.kind, d.handler, d.profile_id, d.owner_id, d.site_id, d.location_id, d.status,
        d.expected_interval, d.connection, d.metadata, d.is_discovered, d.version, d.created_at, d.updated_at,
        d.deleted_at
        """
}

extension DeviceRow {
    init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), code: try row.optional("code"), name: try row.get("name"),
            kind: try row.get("kind"), handler: try row.optional("handler"), profile: try row.optional("profile_id"),
            owner: try row.optional("owner_id"), site: try row.optional("site_id"),
            location: try row.optional("location_id"), status: try row.get("status"),
            expectedInterval: try row.optional("expected_interval").map { Span(microseconds: $0) },
            connection: try row.get("connection"), metadata: try row.get("metadata"),
            isDiscovered: try row.get("is_discovered"), version: try row.get("version"),
            createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"),
            deletedAt: try row.optional("deleted_at"))
    }

    func insert(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO devices (id, tenant_id, code, name, kind, handler, profile_id, owner_id, site_id, location_id, status,
                expected_interval, connection, metadata, is_discovered, version, created_at, updated_at)
            VALUES (\(id), \(tenant), \(code), \(name), \(kind), \(handler), \(profile), \(owner), \(site), \(location),
                \(status), \(expectedInterval?.microseconds), \(connection), \(metadata), \(isDiscovered), \(version),
                \(createdAt), \(updatedAt))
            """)
    }

    func update(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE devices SET code = \(code), name = \(name), kind = \(kind), handler = \(handler),
                profile_id = \(profile), owner_id = \(owner), site_id = \(site), location_id = \(location),
                status = \(status), expected_interval = \(expectedInterval?.microseconds), connection = \(connection),
                metadata = \(metadata), is_discovered = \(isDiscovered), version = \(version),
                updated_at = \(updatedAt), deleted_at = \(deletedAt)
            WHERE tenant_id = \(tenant) AND id = \(id)
            """)
    }
}

extension RegistryReading {
    /// The stored row of a registered device.
    ///
    /// - Parameters:
    ///   - deleted: Whether deleted devices are looked for instead of living ones.
    ///   - orDiscovered: Whether devices are looked for too that nobody has claimed.
    /// - Throws: `notFound` for what is not there, only discovered, another tenant's, or hidden by the scope.
    func deviceRow(_ reference: String, deleted: Bool = false, orDiscovered: Bool = false) throws -> DeviceRow {
        // Typed, because a bare literal in an interpolation is a value, which is bound.
        let life: SQL = deleted ? "d.deleted_at IS NOT NULL" : "d.deleted_at IS NULL"
        let named: SQL =
            orDiscovered
            ? """
            (\(matches(device: reference)) OR d.is_discovered AND d.id IN (
                SELECT x.device_id FROM discoveries x
                WHERE x.tenant_id = \(tenant) AND x.reference = \(reference) AND x.state <> 'claimed'))
            """ : "\(matches(device: reference)) AND NOT d.is_discovered"
        let rows = try transaction.rows(
            """
            SELECT \(DeviceRow.columns) FROM devices d
            WHERE d.tenant_id = \(tenant) AND \(named)
                AND \(life)
                AND \(scope.shows(device: "d.id"))
            ORDER BY d.deleted_at DESC NULLS LAST, d.id DESC LIMIT 1
            """)
        guard let row = rows.first else { throw ServiceError.notFound("device") }
        return try DeviceRow(row: row)
    }

    /// A condition that fits a reference: an identifier, a code, or an external identifier that no code equals.
    func matches(device reference: String) -> SQL {
        if let id = DeviceID(reference) { return "d.id = \(id)" }
        return """
            (d.code = \(reference) OR d.id IN (
                SELECT e.device_id FROM device_external_ids e
                WHERE e.tenant_id = \(tenant) AND e.value = \(reference) AND e.is_active
                    AND NOT EXISTS (SELECT 1 FROM devices o WHERE o.tenant_id = \(tenant) AND o.code = \(reference)
                        AND o.deleted_at IS NULL)))
            """
    }
}
