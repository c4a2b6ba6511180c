package import VigilModel
package import VigilPorts

/// Answers questions about readings, for pages and the API.
package final class QueryService: Sendable {
    let stores: Stores
    let clock: any TimeSource
    let directory: DeviceDirectory
    let alerting: AlertingService

    /// - Parameter alerting: Knows which readings have been judged.
    package init(stores: Stores, clock: any TimeSource, directory: DeviceDirectory, alerting: AlertingService) {
        self.alerting = alerting
        self.stores = stores
        self.clock = clock
        self.directory = directory
    }

    package func now() -> Timestamp { clock.now() }

    /// The newest value of each metric of a device.
    package func latest(ofDevice reference: String, in scope: AccessScope) async throws -> [LatestValue] {
        let tenant = try AlertingService.tenant(of: scope)
        let device = try await device(reference, tenant: tenant, in: scope)
        let units = try await units(of: [device.id], tenant: tenant, in: scope)
        return try await latest(of: [device.id: device.code], units: units, in: scope)
    }

    /// The newest values of all devices of a site.
    package func latest(ofSite reference: String, in scope: AccessScope) async throws -> [LatestValue] {
        let tenant = try AlertingService.tenant(of: scope)
        let (devices, units) = try await stores.relational.read(in: scope) { transaction in
            guard
                let site = try transaction.rows(
                    "SELECT id FROM sites WHERE tenant_id = \(tenant) AND \(SQL.named(reference))"
                ).first?.get("id", as: SiteID.self)
            else { throw ServiceError.notFound("site") }
            var devices: [DeviceID: String] = [:]
            let rows = try transaction.rows(
                """
                SELECT id, code, name FROM devices WHERE tenant_id = \(tenant) AND site_id = \(site)
                    AND deleted_at IS NULL LIMIT 10000
                """)
            for row in rows {
                let id: DeviceID = try row.get("id")
                let name: String = try row.get("name")
                if scope.shows(id) { devices[id] = try row.optional("code") ?? name }
            }
            return (devices, try Self.units(of: Array(devices.keys), tenant: tenant, in: transaction))
        }
        guard devices.count > Self.quickMax else { return try await latest(of: devices, units: units, in: scope) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await latest(of: devices, units: units, in: scope)
        }
    }

    /// The newest values of more devices than this are gathered on the shared threads.
    private static let quickMax = 64

    private func latest(
        of devices: [DeviceID: String], units: [DeviceID: [String: String]], in scope: AccessScope
    ) async throws -> [LatestValue] {
        guard !devices.isEmpty else { return [] }
        let ordered = devices.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let places = Dictionary(uniqueKeysWithValues: zip(ordered.map(\.key), ordered.indices))
        var values: [[LatestValue]] = Array(repeating: [], count: ordered.count)
        for latest in try await stores.series.latest([], devices: Set(devices.keys), in: scope) {
            guard let device = latest.identity.device, let place = places[device],
                !latest.identity.metric.hasPrefix("__")
            else { continue }
            values[place].append(
                LatestValue(
                    device: device, code: ordered[place].value, metric: latest.identity.metric,
                    labels: latest.identity.labels, value: latest.sample.value.json,
                    unit: units[device]?[latest.identity.metric], time: latest.sample.time, arrival: latest.arrival,
                    quality: Int(latest.sample.quality.rawValue), mayBeOlder: latest.isCertain ? nil : true))
        }
        return values.flatMap { $0.sorted { $0.metric < $1.metric } }
    }

    /// The units in which metrics are reported, as far as anybody said.
    func units(of devices: [DeviceID], tenant: TenantID, in scope: AccessScope) async throws
        -> [DeviceID: [String: String]]
    {
        try await stores.relational.read(in: scope) { try Self.units(of: devices, tenant: tenant, in: $0) }
    }

    private static func units(of devices: [DeviceID], tenant: TenantID, in transaction: any SQLTransaction) throws
        -> [DeviceID: [String: String]]
    {
        var units: [DeviceID: [String: String]] = [:]
        for start in stride(from: 0, to: devices.count, by: 500) {
            let part = devices[start..<min(start + 500, devices.count)]
            let rows = try transaction.rows(
                """
                SELECT device_id, metric, unit FROM device_metrics
                WHERE tenant_id = \(tenant) AND device_id IN \(part) AND unit IS NOT NULL
                """)
            for row in rows {
                units[try row.get("device_id"), default: [:]][try row.get("metric")] = try row.get("unit")
            }
        }
        return units
    }

    func device(_ reference: String, tenant: TenantID, in scope: AccessScope) async throws -> DeviceEntry {
        guard let entry = try await directory.find(reference, tenant: tenant), scope.shows(entry.id) else {
            throw ServiceError.notFound("device")
        }
        return entry
    }
}

/// The newest value of a metric of a device.
package struct LatestValue: Codable, Sendable {
    package var device: DeviceID
    package var code: String
    package var metric: String
    package var labels: Labels
    package var value: JSONValue
    package var unit: String?
    package var time: Timestamp
    package var arrival: Timestamp
    /// 0 to 100.
    package var quality: Int
    /// True where a newer value may lie in a file that is damaged; absent otherwise.
    package var mayBeOlder: Bool?
}
