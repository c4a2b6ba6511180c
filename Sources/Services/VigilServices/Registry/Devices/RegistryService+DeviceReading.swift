package import VigilModel
import VigilPorts

extension RegistryService {
    /// The devices that the scope shows and the filter lets through, newest first or by name.
    ///
    /// A filter that names a place or profile that is not there finds nothing.
    package func devices(_ filter: DeviceFilter = DeviceFilter(), _ page: PageRequest = .first, in scope: AccessScope)
        async throws -> Portion<DeviceSummary>
    {
        let after: SQL? =
            switch (filter.order, page.cursor) {
            case (_, nil): nil
            case (.newest, let cursor?): "d.id < \(try cursor.text(at: 0))"
            case (.name, let cursor?): "(d.name, d.id) > (\(try cursor.text(at: 0)), \(try cursor.text(at: 1)))"
            }
        let configuration = try filter.configuration.map(Configuration.range(of:))
        return try await read(in: scope) { reading in
            var conditions = reading.conditions(of: filter)
            if let after { conditions.append(after) }
            if let configuration { conditions.append(reading.has(configuration)) }
            let order: SQL = filter.order == .newest ? "d.id DESC" : "d.name, d.id"
            let rows = try reading.transaction.rows(
                """
                \(DeviceSummary.select(at: reading.time)) WHERE \(conditions.joined(" AND "))
                ORDER BY \(order) LIMIT \(page.limit + 1)
                """
            ).map(DeviceSummary.init(row:))
            return Portion(of: rows, limit: page.limit) { device in
                filter.order == .newest
                    ? [.string(device.id.description)] : [.string(device.name), .string(device.id.description)]
            }
        }
    }

    /// A device by identifier, code or external identifier; a discovered one also by what it calls itself.
    package func device(_ reference: String, in scope: AccessScope) async throws -> Device {
        try await read(in: scope) { reading in
            try reading.device(try reading.deviceRow(reference, orDiscovered: true).id)
        }
    }

    /// How a device is heard.
    package func connection(of reference: String, in scope: AccessScope) async throws -> ConnectionReport {
        try await read(in: scope) { reading in
            let device = try reading.device(try reading.deviceRow(reference).id)
            let since = try reading.transaction.rows(
                """
                SELECT since FROM device_connections WHERE tenant_id = \(reading.tenant) AND device_id = \(device.id)
                    AND state = \(device.connectionState)
                """
            ).first?.get("since", as: Timestamp.self)
            return ConnectionReport(
                device: device.id, state: device.connectionState, since: since, lastSeen: device.lastSeen,
                lastArrival: device.lastArrival, clockSkewSeconds: device.clockSkewSeconds,
                expectedIntervalSeconds: device.expectedIntervalSeconds)
        }
    }
}

/// How a device is heard.
package struct ConnectionReport: Codable, Sendable, Hashable {
    package var device: DeviceID
    package var state: ConnectionState
    /// When it came into this state; absent until the monitor has seen it.
    package var since: Timestamp?
    package var lastSeen: Timestamp?
    package var lastArrival: Timestamp?
    /// How far the device's clock was behind ours when its last reading arrived; negative when it was ahead.
    package var clockSkewSeconds: Double?
    package var expectedIntervalSeconds: Double
}

extension RegistryReading {
    fileprivate func conditions(of filter: DeviceFilter) -> [SQL] {
        var conditions: [SQL] = [
            "d.tenant_id = \(tenant)", "NOT d.is_discovered", scope.shows(device: "d.id"),
            filter.isDeleted ? "d.deleted_at IS NOT NULL" : "d.deleted_at IS NULL",
        ]
        if let site = filter.site {
            let match: SQL = SiteID(site).map { "x.id = \($0)" } ?? "x.code = \(site)"
            conditions.append("d.site_id IN (SELECT x.id FROM sites x WHERE x.tenant_id = \(tenant) AND \(match))")
        }
        if let location = filter.location { conditions.append("d.location_id IN (\(subtree(ofReference: location)))") }
        if let profile = filter.profile {
            let match: SQL = ProfileID(profile).map { "x.id = \($0)" } ?? "x.code = \(profile)"
            conditions.append(
                "d.profile_id IN (SELECT x.id FROM profiles x WHERE x.tenant_id = \(tenant) AND \(match))")
        }
        if let kind = filter.kind { conditions.append("d.kind = \(kind)") }
        if let status = filter.status { conditions.append("d.status = \(status)") }
        if let owner = filter.owner { conditions.append("d.owner_id = \(owner)") }
        if let state = filter.connectionState {
            conditions.append("(\(ConnectionSQL.state(at: time))) = \(state)")
        }
        if let text = filter.text { conditions.append(contains(text)) }
        return conditions
    }

    private func subtree(ofReference reference: String) -> SQL {
        let match: SQL = LocationID(reference).map { "x.id = \($0)" } ?? "x.code = \(reference)"
        return """
            WITH RECURSIVE subtree(id) AS (
                SELECT x.id FROM locations x WHERE x.tenant_id = \(tenant) AND \(match)
                UNION
                SELECT c.id FROM locations c JOIN subtree t ON c.parent_id = t.id WHERE c.tenant_id = \(tenant))
            SELECT id FROM subtree
            """
    }

    private func contains(_ text: String) -> SQL {
        let dialect = transaction.dialect
        return """
            (\(dialect.containsText("d.name", text)) OR \(dialect.containsText("COALESCE(d.code, '')", text))
                OR EXISTS (SELECT 1 FROM device_external_ids e WHERE e.tenant_id = d.tenant_id AND e.device_id = d.id
                    AND \(dialect.containsText("e.value", text))))
            """
    }

    fileprivate func has(_ configuration: ClosedRange<String>) -> SQL {
        """
        EXISTS (SELECT 1 FROM device_snapshots h WHERE h.tenant_id = d.tenant_id AND h.device_id = d.id
            AND h.valid_to IS NULL AND h.configuration_hash >= \(configuration.lowerBound)
            AND h.configuration_hash <= \(configuration.upperBound))
        """
    }
}
