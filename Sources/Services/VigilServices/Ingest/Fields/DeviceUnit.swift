import VigilModel
import VigilPorts

/// The unit in which a device reports a metric, as far as a reading or the device's profile said.
struct DeviceUnit: Sendable {
    let device: DeviceID
    let metric: String
    let unit: String

    /// Devices whose units are read by one statement.
    private static let devicesPerStatement = 500

    /// The units of each of `devices`, by metric; nothing for one that reports without.
    static func units(of devices: [DeviceID], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [DeviceID: [String: String]]
    {
        var units: [DeviceID: [String: String]] = [:]
        if devices.count > devicesPerStatement, try areFew(devices.count, tenant: tenant, in: transaction) {
            let wanted = Set(devices)
            for row in try transaction.rows(
                "SELECT device_id, metric, unit FROM device_units WHERE tenant_id = \(tenant)")
            {
                let device: DeviceID = try row.get("device_id")
                guard wanted.contains(device) else { continue }
                units[device, default: [:]][try row.get("metric")] = try row.get("unit")
            }
            return units
        }
        for start in stride(from: 0, to: devices.count, by: devicesPerStatement) {
            let part = devices[start..<min(start + devicesPerStatement, devices.count)]
            let rows = try transaction.rows(
                """
                SELECT device_id, metric, unit FROM device_units
                WHERE tenant_id = \(tenant) AND device_id IN \(part)
                """)
            for row in rows {
                units[try row.get("device_id"), default: [:]][try row.get("metric")] = try row.get("unit")
            }
        }
        return units
    }

    /// Whether a tenant has no more units than devices are asked for, so that reading all costs less than looking each up.
    private static func areFew(_ count: Int, tenant: TenantID, in transaction: any SQLTransaction) throws -> Bool {
        let found: Int =
            try transaction.rows(
                """
                SELECT COUNT(*) AS n FROM (
                    SELECT 1 AS one FROM device_units WHERE tenant_id = \(tenant) LIMIT \(count + 1)) AS few
                """
            ).first?.get("n") ?? 0
        return found <= count
    }

    /// The same in a transaction of its own.
    static func units(of devices: [DeviceID], tenant: TenantID, in stores: Stores) async throws
        -> [DeviceID: [String: String]]
    {
        try await stores.relational.read(in: SystemScope.tenant(tenant, "ingest")) { transaction in
            try units(of: devices, tenant: tenant, in: transaction)
        }
    }

    static func save(_ units: [DeviceUnit], tenant: TenantID, at now: Timestamp, in stores: Stores) async throws {
        let owner = tenant.sqlValue
        // In one order, so that two transactions with the same devices do not wait for each other.
        let rows = units.sorted { ($0.device, $0.metric) < ($1.device, $1.metric) }.map { unit in
            [owner, unit.device.sqlValue, unit.metric.sqlValue, unit.unit.sqlValue, now.sqlValue]
        }
        try await stores.relational.write(in: SystemScope.tenant(tenant, "ingest")) { transaction in
            _ = try transaction.insert(
                into: "device_units", columns: ["tenant_id", "device_id", "metric", "unit", "since"], rows: rows,
                conflict: """
                    ON CONFLICT (tenant_id, device_id, metric) DO UPDATE SET unit = excluded.unit,
                        since = excluded.since
                    """)
        }
    }
}
