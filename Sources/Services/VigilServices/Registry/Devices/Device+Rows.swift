import VigilModel
import VigilPorts

extension DeviceSummary {
    /// The statement that ``init(row:)`` reads, to go on with `WHERE`.
    ///
    /// One statement has everything that a list shows, so the number of statements does not grow with the list.
    static func select(at now: Timestamp, more: SQL = "") -> SQL {
        """
        SELECT d.id, COALESCE(d.code, '') AS code, d.name, d.kind, d.status, d.version, d.created_at, d.updated_at,
            d.deleted_at, COALESCE(d.handler, p.handler, \(DeviceEntry.defaultHandler)) AS handler,
            \(ConnectionSQL.interval) AS expected_interval, \(ConnectionSQL.state(at: now)) AS state,
            a.last_seen, a.last_arrival, a.clock_skew, p.id AS profile_id, p.code AS profile_code, p.name AS profile_name,
            u.id AS owner_id, u.username AS owner_code, u.first_name AS owner_first, u.last_name AS owner_last,
            s.id AS site_id, s.code AS site_code, s.name AS site_name,
            l.id AS location_id, l.code AS location_code, l.name AS location_name, g.latitude, g.longitude\(more)
        FROM \(ConnectionSQL.tables)
        LEFT JOIN users u ON u.id = d.owner_id
        LEFT JOIN sites s ON s.tenant_id = d.tenant_id AND s.id = d.site_id
        LEFT JOIN locations l ON l.tenant_id = d.tenant_id AND l.id = d.location_id
        LEFT JOIN device_positions g ON g.tenant_id = d.tenant_id AND g.device_id = d.id AND g.valid_to IS NULL
        """
    }

    init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), code: try row.get("code"), name: try row.get("name"), kind: try row.get("kind"),
            handler: try row.get("handler"), profile: try NamedReference(row: row, "profile"),
            owner: try Self.owner(row), site: try NamedReference(row: row, "site"),
            location: try NamedReference(row: row, "location"), status: try row.get("status"),
            connectionState: try row.get("state"), lastSeen: try row.optional("last_seen"),
            lastArrival: try row.optional("last_arrival"),
            clockSkewSeconds: try row.optional("clock_skew", as: Int64.self).map { Span(microseconds: $0).seconds },
            expectedIntervalSeconds: Span(microseconds: try row.get("expected_interval")).seconds,
            latitude: try row.optional("latitude"), longitude: try row.optional("longitude"),
            version: try row.get("version"), createdAt: try row.get("created_at"),
            updatedAt: try row.get("updated_at"), deletedAt: try row.optional("deleted_at"))
    }

    private static func owner(_ row: SQLRow) throws -> NamedReference<UserID>? {
        guard let id = try row.optional("owner_id", as: UserID.self) else { return nil }
        let names = [try row.get("owner_first", as: String.self), try row.get("owner_last", as: String.self)]
        let code: String = try row.get("owner_code")
        let name = names.filter { !$0.isEmpty }.joined(separator: " ")
        return NamedReference(id: id, code: code, name: name.isEmpty ? code : name)
    }
}

extension NamedReference where ID: SQLConvertible {
    init?(row: SQLRow, _ prefix: String) throws {
        guard let id = try row.optional("\(prefix)_id", as: ID.self) else { return nil }
        self.init(id: id, code: try row.get("\(prefix)_code"), name: try row.get("\(prefix)_name"))
    }
}

extension Device {
    init(
        _ summary: DeviceSummary, externalIDs: [ExternalID], secrets: [String], connection: JSONValue,
        metadata: JSONValue, configurationHash: String?, isDiscovered: Bool
    ) {
        self.init(
            id: summary.id, code: summary.code, name: summary.name, kind: summary.kind, handler: summary.handler,
            profile: summary.profile, owner: summary.owner, site: summary.site, location: summary.location,
            status: summary.status, connectionState: summary.connectionState, lastSeen: summary.lastSeen,
            lastArrival: summary.lastArrival, clockSkewSeconds: summary.clockSkewSeconds,
            expectedIntervalSeconds: summary.expectedIntervalSeconds,
            latitude: summary.latitude, longitude: summary.longitude, externalIDs: externalIDs,
            connection: connection, connectionSecrets: secrets, metadata: metadata,
            configurationHash: configurationHash, isDiscovered: isDiscovered, version: summary.version,
            createdAt: summary.createdAt,
            updatedAt: summary.updatedAt, deletedAt: summary.deletedAt)
    }
}

extension RegistryReading {
    /// The whole view of a device that was found and is visible.
    func device(_ id: DeviceID) throws -> Device {
        let more: SQL = """
            , d.connection, d.metadata, d.is_discovered, (SELECT h.configuration_hash FROM device_snapshots h
                WHERE h.tenant_id = d.tenant_id AND h.device_id = d.id AND h.valid_to IS NULL) AS configuration_hash
            """
        let rows = try transaction.rows(
            "\(DeviceSummary.select(at: time, more: more)) WHERE d.tenant_id = \(tenant) AND d.id = \(id)")
        guard let row = rows.first else { throw ServiceError.notFound("device") }
        let identifiers = try transaction.rows(
            """
            SELECT scheme, value FROM device_external_ids WHERE tenant_id = \(tenant) AND device_id = \(id)
            ORDER BY scheme, value
            """
        ).map { ExternalID(scheme: try $0.get("scheme"), value: try $0.get("value")) }
        let secrets = try transaction.rows(
            "SELECT name FROM device_secrets WHERE tenant_id = \(tenant) AND device_id = \(id) ORDER BY name"
        ).map { try $0.get("name", as: String.self) }
        return Device(
            try DeviceSummary(row: row), externalIDs: identifiers, secrets: secrets,
            connection: try row.get("connection"), metadata: try row.get("metadata"),
            configurationHash: try row.optional("configuration_hash"), isDiscovered: try row.get("is_discovered"))
    }
}
