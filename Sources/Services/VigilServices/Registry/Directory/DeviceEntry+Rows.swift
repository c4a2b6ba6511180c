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

    /// Of a row that ends with ``columns``: read by their places, because a batch of new devices has thousands.
    init(row: SQLRow) throws {
        let values = row.values.suffix(Self.columnCount)
        guard values.count == Self.columnCount, row.columns.last == "expected_interval" else { throw Self.malformed }
        var place = values.startIndex
        func next() -> SQLValue {
            defer { place += 1 }
            return values[place]
        }
        func text(_ value: SQLValue) throws -> String {
            guard case .text(let text) = value else { throw Self.malformed }
            return text
        }
        func optionalText(_ value: SQLValue) throws -> String? {
            if case .null = value { nil } else { try text(value) }
        }
        let (id, tenant, code, name) = (next(), next(), next(), next())
        let (owner, kind, status, isDiscovered) = (next(), next(), next(), next())
        let (site, location, profile, reference) = (next(), next(), next(), next())
        let (state, units, ranges, handler, interval) = (next(), next(), next(), next(), next())
        guard let id = DeviceID(try text(id)), let tenant = TenantID(try text(tenant)),
            let isDiscovered = Bool(sqlValue: isDiscovered), let interval = Int64(sqlValue: interval),
            let status = AdministrativeStatus(rawValue: try text(status))
        else { throw Self.malformed }
        let isIgnored = try isDiscovered && optionalText(state) == DiscoveryState.ignored.rawValue
        self.init(
            id: id, tenant: tenant, code: try optionalText(code) ?? text(reference), name: try text(name),
            owner: try optionalText(owner).flatMap { UserID($0) }, kind: try text(kind), handler: try text(handler),
            status: status, isDiscovered: isDiscovered, isIgnored: isIgnored,
            site: try optionalText(site).flatMap { SiteID($0) },
            location: try optionalText(location).flatMap { LocationID($0) },
            profile: try optionalText(profile).flatMap { ProfileID($0) },
            expectedInterval: Span(microseconds: interval),
            units: try optionalText(units).map { try Self.object($0) } ?? [:],
            ranges: try optionalText(ranges).map { try Self.object($0) } ?? [:])
    }

    private static let columnCount = 17
    /// Statement and reader are both ours, so this is a bug.
    private static let malformed = StoreError(.internalFault, "A row of a device is not as its statement says")

    private static func object<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
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
        try add(references.filter { found[$0] == nil }, to: &found) { part in
            // Nearly every name is a code, which comes before all else that a name may be.
            try transaction.rows(
                """
                SELECT d.code AS asked, \(columns) FROM \(tables)
                WHERE d.tenant_id = \(tenant) AND d.code IN \(part) AND d.deleted_at IS NULL
                """)
        }
        try add(references.filter { found[$0] == nil }, to: &found) { part in
            try rows(named: part, tenant: tenant, in: transaction)
        }
        return found
    }

    /// Adds what `rows` finds of names, some hundred at a time; the first row of a name is its device.
    private static func add(
        _ names: [String], to found: inout [String: DeviceEntry], rows: ([String]) throws -> [SQLRow]
    ) throws {
        for start in stride(from: 0, to: names.count, by: namesPerStatement) {
            for row in try rows(Array(names[start..<min(start + namesPerStatement, names.count)])) {
                let name: String = try row.get("asked")
                if found[name] == nil { found[name] = try DeviceEntry(row: row) }
            }
        }
    }

    /// The devices that have these names otherwise than as their codes, those first that ``find(_:tenant:in:)`` prefers.
    private static func rows(named names: [String], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [SQLRow]
    {
        var matches: [SQL] = [
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
