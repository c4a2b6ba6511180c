package import VigilModel
import VigilPorts

/// Who writes an attribute and who reads it.
package enum AttributeScope: String, Codable, Sendable, CaseIterable, SQLConvertible {
    /// The device writes what it says of itself; people read.
    case client
    /// People write; the device does not see it.
    case server
    /// People write what the device is to know; the device reads.
    case shared
}

/// A value that belongs to a device, with when and by whom it was set.
package struct DeviceAttribute: Codable, Sendable, Hashable {
    package var scope: AttributeScope
    package var name: String
    package var value: JSONValue
    package var updatedAt: Timestamp
    package var updatedBy: String
}

extension RegistryService {
    /// The attributes of a device, of one scope when `kind` is given; a device does not see those of the server.
    package func attributes(
        of reference: String, _ kind: AttributeScope? = nil, by principal: Principal, in scope: AccessScope
    ) async throws -> [DeviceAttribute] {
        try await read(in: scope) { reading in
            let device = try reading.deviceRow(reference).id
            var kinds = kind.map { [$0] } ?? AttributeScope.allCases
            if case .device = principal.subject { kinds.removeAll { $0 == .server } }
            return try reading.attributes(of: device, kinds)
        }
    }

    /// Sets attributes of one scope; `null` takes one away.
    ///
    /// - Throws: `forbidden` with `attribute.scope` when the caller does not write this scope: devices write `client`,
    ///   people write the others.
    package func setAttributes(
        of reference: String, _ kind: AttributeScope, _ values: [String: JSONValue], by principal: Principal,
        in scope: AccessScope
    ) async throws -> [DeviceAttribute] {
        let isDevice = if case .device = principal.subject { true } else { false }
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: .nothing) { change in
            let device = try change.reading.deviceRow(reference).id
            guard isDevice == (kind == .client) else {
                throw ServiceError(
                    .forbidden, "attribute.scope", "A device writes its client attributes, people write the others.")
            }
            let before = try change.reading.attributes(of: device, [kind])
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                try change.setAttribute(name, to: value, of: device, kind, limits: limits)
            }
            let after = try change.reading.attributes(of: device, [kind])
            guard after.count <= limits.attributesPerScopeMax else {
                throw ServiceError(
                    .conflict, "limit.reached", "A device has at most \(limits.attributesPerScopeMax) of a scope.")
            }
            if before != after {
                try change.record(
                    .updated, "device", device.description, device: device, before: ["attributes": before],
                    after: ["attributes": after])
            }
            return after
        }
    }
}

extension RegistryReading {
    fileprivate func attributes(of device: DeviceID, _ kinds: [AttributeScope]) throws -> [DeviceAttribute] {
        try transaction.rows(
            """
            SELECT scope, name, value, updated_at, updated_by FROM device_attributes
            WHERE tenant_id = \(tenant) AND device_id = \(device) AND scope IN \(kinds) ORDER BY scope, name
            """
        ).map { row in
            DeviceAttribute(
                scope: try row.get("scope"), name: try row.get("name"), value: try row.get("value"),
                updatedAt: try row.get("updated_at"), updatedBy: try row.get("updated_by"))
        }
    }
}

extension RegistryChange {
    fileprivate func setAttribute(
        _ name: String, to value: JSONValue, of device: DeviceID, _ kind: AttributeScope, limits: RegistryLimits
    ) throws {
        let name = try TextRules.name(name, field: "name", max: 128)
        let key: SQL = """
            tenant_id = \(tenant) AND device_id = \(device) AND scope = \(kind) AND name = \(name)
            """
        if value == .null {
            try transaction.execute("DELETE FROM device_attributes WHERE \(key)")
            return
        }
        guard value.canonicalText.utf8.count <= limits.attributeBytesMax, value.depth <= 32 else {
            throw ServiceError.invalid(
                name, "must be at most \(limits.attributeBytesMax) bytes", code: "request.field")
        }
        let changed = try transaction.execute(
            """
            UPDATE device_attributes SET value = \(value), updated_at = \(time), updated_by = \(actor) WHERE \(key)
            """)
        if changed > 0 { return }
        try transaction.execute(
            """
            INSERT INTO device_attributes (tenant_id, device_id, scope, name, value, updated_at, updated_by)
            VALUES (\(tenant), \(device), \(kind), \(name), \(value), \(time), \(actor))
            """)
    }
}
