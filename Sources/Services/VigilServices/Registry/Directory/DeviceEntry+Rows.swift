import Foundation
import VigilModel
import VigilPorts

extension DeviceEntry {
    /// The columns that ``init(row:)`` reads, for a statement that goes on with `WHERE`.
    static let select: SQL = """
        SELECT d.id, d.tenant_id, d.code, d.name, d.owner_id, d.kind, d.status, d.is_discovered, d.site_id,
            d.location_id, d.profile_id, x.reference, x.state, p.units, p.ranges,
            COALESCE(d.handler, p.handler, \(DeviceEntry.defaultHandler)) AS handler,
            COALESCE(d.expected_interval, p.expected_interval, \(DeviceEntry.defaultExpectedInterval.microseconds))
                AS expected_interval
        FROM devices d
        LEFT JOIN profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
        LEFT JOIN discoveries x ON x.tenant_id = d.tenant_id AND x.device_id = d.id
        """

    init(row: SQLRow) throws {
        let discovered: Bool = try row.get("is_discovered")
        self.init(
            id: try row.get("id"), tenant: try row.get("tenant_id"),
            code: try row.optional("code") ?? row.get("reference", as: String.self), name: try row.get("name"),
            owner: try row.optional("owner_id"), kind: try row.get("kind"), handler: try row.get("handler"),
            status: try row.get("status"), isDiscovered: discovered,
            isIgnored: try discovered && row.optional("state", as: DiscoveryState.self) == .ignored,
            site: try row.optional("site_id"), location: try row.optional("location_id"),
            profile: try row.optional("profile_id"),
            expectedInterval: Span(microseconds: try row.get("expected_interval")),
            units: try row.json("units") ?? [:], ranges: try row.json("ranges") ?? [:])
    }

    /// The living device that a name means: its identifier, its code, one of its external identifiers (`value` or
    /// `scheme:value`), or what a discovered device calls itself; the first of these that fits.
    static func find(_ reference: String, tenant: TenantID, in transaction: any SQLTransaction) throws -> DeviceEntry? {
        if let id = DeviceID(reference), let entry = try find(id, tenant: tenant, in: transaction) { return entry }
        let matches: [SQL] = [
            "SELECT id, 1 AS preference FROM devices WHERE tenant_id = \(tenant) AND code = \(reference) AND deleted_at IS NULL",
            """
            SELECT device_id AS id, 2 AS preference FROM device_external_ids
            WHERE tenant_id = \(tenant) AND value = \(reference) AND is_active
            """,
            """
            SELECT device_id AS id, 3 AS preference FROM device_external_ids
            WHERE tenant_id = \(tenant) AND value = \(afterColon(reference)) AND scheme = \(beforeColon(reference))
                AND is_active
            """,
            """
            SELECT device_id AS id, 4 AS preference FROM discoveries
            WHERE tenant_id = \(tenant) AND reference = \(reference) AND state <> 'claimed'
            """,
        ]
        return try transaction.rows(
            """
            \(select) JOIN (\(matches.joined(" UNION ALL "))) AS m ON m.id = d.id
            WHERE d.tenant_id = \(tenant) AND d.deleted_at IS NULL ORDER BY m.preference, d.id LIMIT 1
            """
        ).first.map(DeviceEntry.init(row:))
    }

    static func find(_ id: DeviceID, tenant: TenantID, in transaction: any SQLTransaction) throws -> DeviceEntry? {
        try transaction.rows("\(select) WHERE d.tenant_id = \(tenant) AND d.id = \(id) AND d.deleted_at IS NULL")
            .first.map(DeviceEntry.init(row:))
    }

    private static func beforeColon(_ reference: String) -> String {
        String(reference.prefix { $0 != ":" })
    }

    private static func afterColon(_ reference: String) -> String {
        String(reference.drop { $0 != ":" }.dropFirst())
    }
}

/// What became of a device that reported before anybody registered it.
package enum DiscoveryState: String, Codable, Sendable, SQLConvertible {
    case discovered
    case claimed
    case ignored
}

extension SQLRow {
    /// A JSON column as a value, `nil` when it is NULL.
    func json<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value? {
        guard let text = try optional(column, as: String.self) else { return nil }
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
