package import VigilModel
import VigilPorts

/// A device that reported before anybody registered it.
package struct DiscoveredDevice: Codable, Sendable, Hashable {
    package var id: DeviceID
    /// What it calls itself.
    package var reference: String
    package var state: DiscoveryState
    /// A reading as it first came.
    package var sample: JSONValue
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    package var sightings: Int
}

extension RegistryService {
    /// Devices that wait to be claimed, or those that are ignored, newest first.
    package func discovered(
        _ state: DiscoveryState = .discovered, _ page: PageRequest = .first, in scope: AccessScope
    ) async throws -> Portion<DiscoveredDevice> {
        let after = try page.cursor.map { try $0.text(at: 0) }
        return try await read(in: scope) { reading in
            var conditions: [SQL] = ["x.state = \(state)"]
            if let after { conditions.append("x.device_id < \(after)") }
            let rows = try reading.discovered(
                where: conditions.joined(" AND "), limit: page.limit + 1)
            return Portion(of: rows, limit: page.limit) { [.string($0.id.description)] }
        }
    }

    /// A discovered device by its identifier or by what it calls itself.
    package func discovered(_ reference: String, in scope: AccessScope) async throws -> DiscoveredDevice {
        try await read(in: scope) { try $0.discovered(reference) }
    }

    /// Makes a discovered device a device, which keeps its identifier; what it calls itself stays a name of it.
    ///
    /// - Throws: `ServiceError` `discovery.claimed` (409) when it is one already, and what registering a device throws.
    package func claim(
        _ reference: String, as claim: DeviceClaim = DeviceClaim(), by principal: Principal, in scope: AccessScope
    ) async throws -> Device {
        let (limits, box, hooks) = (limits, secrets, hooks)
        return try await change(by: principal, in: scope, forgetting: { .device($0.id) }) { change in
            let discovered = try change.reading.discovered(reference)
            guard discovered.state != .claimed else {
                throw ServiceError(.conflict, "discovery.claimed", "The device was claimed already.")
            }
            return try change.claim(
                discovered, as: claim.draft(of: discovered.reference), box: box, limits: limits, hooks: hooks)
        }
    }

    /// Decides that what a discovered device sends is of no interest, or with `false` that it is after all.
    package func ignore(_ reference: String, _ ignored: Bool = true, by principal: Principal, in scope: AccessScope)
        async throws -> DiscoveredDevice
    {
        try await change(by: principal, in: scope, forgetting: { .device($0.id) }) { change in
            var discovered = try change.reading.discovered(reference)
            let state = ignored ? DiscoveryState.ignored : .discovered
            guard discovered.state != .claimed else {
                throw ServiceError(.conflict, "discovery.claimed", "The device was claimed already.")
            }
            guard discovered.state != state else { return discovered }
            let before = discovered
            discovered.state = state
            try change.setState(state, of: discovered.id)
            try change.record(
                ignored ? .ignored : .updated, "device", discovered.id.description, device: discovered.id,
                before: before, after: discovered)
            return discovered
        }
    }

    /// Forgets a discovered device; when it reports again it is discovered anew.
    package func forgetDiscovered(_ reference: String, by principal: Principal, in scope: AccessScope) async throws {
        _ = try await change(by: principal, in: scope, forgetting: { .device($0) }) { change -> DeviceID in
            let discovered = try change.reading.discovered(reference)
            guard discovered.state != .claimed else {
                throw ServiceError(.conflict, "discovery.claimed", "The device was claimed already.")
            }
            try change.transaction.execute(
                "DELETE FROM devices WHERE tenant_id = \(change.tenant) AND id = \(discovered.id)")
            try change.record(
                .deleted, "device", discovered.id.description, device: discovered.id, before: discovered,
                after: DiscoveredDevice?.none)
            return discovered.id
        }
    }
}

extension RegistryReading {
    func discovered(_ reference: String) throws -> DiscoveredDevice {
        let match: SQL =
            DeviceID(reference).map { "x.device_id = \($0)" }
            ?? "x.reference = \(reference) AND x.state <> 'claimed'"
        guard let found = try discovered(where: match, limit: 1).first else {
            throw ServiceError.notFound("discovered device")
        }
        return found
    }

    /// A discovered or ignored device that calls itself by one of these names.
    func discovered(named names: [String]) throws -> DiscoveredDevice? {
        if names.isEmpty { return nil }
        return try discovered(where: "x.reference IN \(names) AND x.state <> 'claimed'", limit: 1).first
    }

    fileprivate func discovered(where condition: SQL, limit: Int) throws -> [DiscoveredDevice] {
        try transaction.rows(
            """
            SELECT x.device_id, x.reference, x.state, x.sample, x.first_seen, x.last_seen, x.sightings
            FROM discoveries x WHERE x.tenant_id = \(tenant) AND \(condition) AND \(scope.shows(device: "x.device_id"))
            ORDER BY x.device_id DESC LIMIT \(limit)
            """
        ).map { row in
            DiscoveredDevice(
                id: try row.get("device_id"), reference: try row.get("reference"), state: try row.get("state"),
                sample: try row.get("sample"), firstSeen: try row.get("first_seen"),
                lastSeen: try row.get("last_seen"), sightings: try row.get("sightings"))
        }
    }
}

extension RegistryChange {
    /// Registers a discovered device under its identifier.
    func claim(
        _ discovered: DiscoveredDevice, as draft: DeviceDraft, box: SecretBox, limits: RegistryLimits,
        hooks: [any DeviceHook]
    ) throws -> Device {
        var draft = draft
        if let code = draft.code, code == discovered.reference {
            // Found by its code from now on.
        } else if !(draft.externalIDs ?? []).contains(where: { $0.value == discovered.reference }) {
            // Messages go on under the old name, so it stays one.
            draft.externalIDs =
                (draft.externalIDs ?? []) + [ExternalID(scheme: "reported", value: discovered.reference)]
        }
        try setState(.claimed, of: discovered.id)
        return try register(draft, id: discovered.id, action: .claimed, box: box, limits: limits, hooks: hooks)
    }

    func setState(_ state: DiscoveryState, of device: DeviceID) throws {
        try transaction.execute(
            "UPDATE discoveries SET state = \(state) WHERE tenant_id = \(tenant) AND device_id = \(device)")
    }
}
