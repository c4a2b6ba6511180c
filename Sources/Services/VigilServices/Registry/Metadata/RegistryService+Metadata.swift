package import VigilModel
import VigilPorts

/// A change of one member of a device's metadata.
package struct MetadataEntry: Codable, Sendable, Hashable {
    package var id: EntryID
    package var field: String
    /// Absent: the member was not there.
    package var oldValue: JSONValue?
    package var newValue: JSONValue?
    package var changedAt: Timestamp
    package var changedBy: String
}

/// A version of a device's metadata, and when it was in force.
package struct MetadataSnapshot: Codable, Sendable, Hashable {
    /// From 1.
    package var version: Int
    package var configurationHash: String
    package var metadata: JSONValue
    package var validFrom: Timestamp
    /// Absent: it is in force.
    package var validTo: Timestamp?
}

/// What differs between two versions of a device's metadata.
package struct SnapshotComparison: Codable, Sendable, Hashable {
    package var from: Int
    package var to: Int
    package var differences: [MetadataDifference]
}

extension RegistryService {
    package func metadata(of reference: String, in scope: AccessScope) async throws -> JSONValue {
        try await read(in: scope) { try $0.deviceRow(reference).metadata }
    }

    /// Changes members of the metadata: a member that is `null` goes away, the others replace or add.
    package func changeMetadata(
        of reference: String, _ members: JSONValue, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws -> Device {
        guard let members = members.members else {
            throw ServiceError.invalid("body", "must be an object", code: "request.field")
        }
        return try await changeDevice(reference, version: version, by: principal, in: scope) { row in
            var metadata = row.metadata.members ?? [:]
            for (name, value) in members { metadata[name] = value == .null ? nil : value }
            var change = DeviceChange()
            change.metadata = .object(metadata)
            return change
        }
    }

    /// The changes of metadata, newest first; of one member when `field` is given.
    package func metadataHistory(
        of reference: String, field: String? = nil, _ page: PageRequest = .first, in scope: AccessScope
    ) async throws -> Portion<MetadataEntry> {
        let after = try page.cursor.map { try $0.text(at: 0) }
        return try await read(in: scope) { reading in
            let device = try reading.deviceRow(reference).id
            var conditions: [SQL] = ["tenant_id = \(reading.tenant)", "device_id = \(device)"]
            if let field { conditions.append("field = \(field)") }
            if let after { conditions.append("id < \(after)") }
            let rows = try reading.transaction.rows(
                """
                SELECT id, field, old_value, new_value, changed_at, changed_by FROM device_metadata_history
                WHERE \(conditions.joined(" AND ")) ORDER BY id DESC LIMIT \(page.limit + 1)
                """
            ).map { row in
                MetadataEntry(
                    id: try row.get("id"), field: try row.get("field"), oldValue: try row.optional("old_value"),
                    newValue: try row.optional("new_value"), changedAt: try row.get("changed_at"),
                    changedBy: try row.get("changed_by"))
            }
            return Portion(of: rows, limit: page.limit) { [.string($0.id.description)] }
        }
    }

    /// The versions of the metadata, newest first.
    package func snapshots(of reference: String, _ page: PageRequest = .first, in scope: AccessScope)
        async throws -> Portion<MetadataSnapshot>
    {
        let before = try page.cursor.map { try $0.integer(at: 0) } ?? .max
        return try await read(in: scope) { reading in
            let device = try reading.deviceRow(reference).id
            let rows = try reading.snapshots(of: device, where: "version < \(before)", limit: page.limit + 1)
            return Portion(of: rows, limit: page.limit) { [.integer(Int64($0.version))] }
        }
    }

    package func snapshot(_ version: Int, of reference: String, in scope: AccessScope) async throws -> MetadataSnapshot
    {
        try await read(in: scope) { reading in
            let device = try reading.deviceRow(reference).id
            guard let found = try reading.snapshots(of: device, where: "version = \(version)", limit: 1).first else {
                throw ServiceError.notFound("snapshot")
            }
            return found
        }
    }

    package func compareSnapshots(of reference: String, from: Int, to: Int, in scope: AccessScope)
        async throws -> SnapshotComparison
    {
        try await read(in: scope) { reading in
            let device = try reading.deviceRow(reference).id
            let both = try reading.snapshots(of: device, where: "version IN \([from, to])", limit: 2)
            guard let old = both.first(where: { $0.version == from }), let new = both.first(where: { $0.version == to })
            else { throw ServiceError.notFound("snapshot") }
            return SnapshotComparison(
                from: from, to: to, differences: Configuration.differences(from: old.metadata, to: new.metadata))
        }
    }
}

extension RegistryReading {
    fileprivate func snapshots(of device: DeviceID, where condition: SQL, limit: Int) throws -> [MetadataSnapshot] {
        try transaction.rows(
            """
            SELECT version, configuration_hash, metadata, valid_from, valid_to FROM device_snapshots
            WHERE tenant_id = \(tenant) AND device_id = \(device) AND \(condition)
            ORDER BY version DESC LIMIT \(limit)
            """
        ).map { row in
            MetadataSnapshot(
                version: try row.get("version"), configurationHash: try row.get("configuration_hash"),
                metadata: try row.get("metadata"), validFrom: try row.get("valid_from"),
                validTo: try row.optional("valid_to"))
        }
    }
}

extension RegistryChange {
    /// Writes the history and, when the configuration's hash differs, closes the open snapshot and opens the next.
    func keepMetadata(of device: DeviceID, old: JSONValue?, new: JSONValue) throws {
        let before = old?.members ?? [:]
        let after = new.members ?? [:]
        let fields = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
        for field in fields {
            try transaction.execute(
                """
                INSERT INTO device_metadata_history (id, tenant_id, device_id, field, old_value, new_value, changed_at,
                    changed_by)
                VALUES (\(EntryID(at: time)), \(tenant), \(device), \(field), \(before[field]), \(after[field]), \(time),
                    \(actor))
                """)
        }
        let hash = Configuration.hash(of: new)
        let open = try transaction.rows(
            """
            SELECT version, configuration_hash FROM device_snapshots
            WHERE tenant_id = \(tenant) AND device_id = \(device) AND valid_to IS NULL
            """
        ).first
        if try open?.get("configuration_hash", as: String.self) == hash { return }
        try transaction.execute(
            """
            UPDATE device_snapshots SET valid_to = \(time)
            WHERE tenant_id = \(tenant) AND device_id = \(device) AND valid_to IS NULL
            """)
        let version = (try open?.get("version", as: Int.self) ?? 0) + 1
        try transaction.execute(
            """
            INSERT INTO device_snapshots (tenant_id, device_id, version, configuration_hash, metadata, valid_from)
            VALUES (\(tenant), \(device), \(version), \(hash), \(new), \(time))
            """)
    }
}
