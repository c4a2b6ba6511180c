import Foundation
import VigilModel
import VigilPorts

extension DeviceEntry {
    /// The columns that ``init(row:)`` reads, for a statement that goes on with `WHERE`.
    static let select: SQL = "SELECT \(columns) FROM \(tables)"

    private static let columns: SQL = """
        d.id, d.tenant_id, d.code, d.name, d.owner_id, d.kind, d.status, d.is_discovered, d.site_id,
            d.location_id, d.profile_id, x.reference, x.state, p.units, p.ranges,
            COALESCE(d.handler, p.handler, \(DeviceEntry.defaultHandler)) AS handler,
            COALESCE(d.expected_interval, p.expected_interval, \(DeviceEntry.defaultExpectedInterval.microseconds))
                AS expected_interval
        """

    private static let tables: SQL = """
        devices d
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

    /// Names that one statement looks up.
    private static let namesPerStatement = 500

    /// The living devices that names mean, as ``find(_:tenant:in:)`` says of each; a name without one is absent.
    static func find(_ references: [String], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [String: DeviceEntry]
    {
        let identifiers = references.compactMap { reference in DeviceID(reference).map { (reference, $0) } }
        let byIdentifier = try find(identifiers.map(\.1), tenant: tenant, in: transaction)
        var found: [String: DeviceEntry] = [:]
        for (reference, id) in identifiers { found[reference] = byIdentifier[id] }
        let names = references.filter { found[$0] == nil }
        for start in stride(from: 0, to: names.count, by: namesPerStatement) {
            let part = names[start..<min(start + namesPerStatement, names.count)]
            // The first that fits a name is its device.
            for row in try rows(named: Array(part), tenant: tenant, in: transaction) {
                let name: String = try row.get("asked")
                if found[name] == nil { found[name] = try DeviceEntry(row: row) }
            }
        }
        return found
    }

    /// The devices that have these names in one way or another, those first that ``find(_:tenant:in:)`` prefers.
    private static func rows(named names: [String], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [SQLRow]
    {
        var matches: [SQL] = [
            """
            SELECT id, code AS asked, 1 AS preference FROM devices
            WHERE tenant_id = \(tenant) AND code IN \(names) AND deleted_at IS NULL
            """,
            """
            SELECT device_id AS id, value AS asked, 2 AS preference FROM device_external_ids
            WHERE tenant_id = \(tenant) AND value IN \(names) AND is_active
            """,
            """
            SELECT device_id AS id, reference AS asked, 4 AS preference FROM discoveries
            WHERE tenant_id = \(tenant) AND reference IN \(names) AND state <> 'claimed'
            """,
        ]
        let withScheme = names.filter { $0.contains(":") }
        if !withScheme.isEmpty {
            matches.append(
                """
                SELECT device_id AS id, scheme || ':' || value AS asked, 3 AS preference FROM device_external_ids
                WHERE tenant_id = \(tenant) AND value IN \(withScheme.map(afterColon)) AND is_active
                    AND scheme || ':' || value IN \(withScheme)
                """)
        }
        return try transaction.rows(
            """
            SELECT m.asked, \(columns) FROM \(tables) JOIN (\(matches.joined(" UNION ALL "))) AS m ON m.id = d.id
            WHERE d.tenant_id = \(tenant) AND d.deleted_at IS NULL ORDER BY m.preference, d.id
            """)
    }

    /// The living devices with these identifiers.
    static func find(_ ids: [DeviceID], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [DeviceID: DeviceEntry]
    {
        var found: [DeviceID: DeviceEntry] = [:]
        for start in stride(from: 0, to: ids.count, by: namesPerStatement) {
            let part = ids[start..<min(start + namesPerStatement, ids.count)]
            let rows = try transaction.rows(
                "\(select) WHERE d.tenant_id = \(tenant) AND d.id IN \(part) AND d.deleted_at IS NULL")
            for row in rows {
                let entry = try DeviceEntry(row: row)
                found[entry.id] = entry
            }
        }
        return found
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
