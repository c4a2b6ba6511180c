package import VigilModel
import VigilPorts

extension RegistryService {
    /// Registers a device.
    ///
    /// A discovered device that calls itself by the code or one of the external identifiers is claimed: the device keeps
    /// its identifier, and so the readings that came before.
    package func createDevice(_ draft: DeviceDraft, by principal: Principal, in scope: AccessScope)
        async throws -> Device
    {
        let (limits, box, hooks) = (limits, secrets, hooks)
        return try await change(by: principal, in: scope, forgetting: { .device($0.id) }) { change in
            try change.requireRoom(in: "devices", max: limits.devicesMax, where: "deleted_at IS NULL")
            let names = [draft.code].compactMap { $0 } + (draft.externalIDs ?? []).map(\.value)
            if let discovered = try change.reading.discovered(named: names) {
                return try change.claim(discovered, as: draft, box: box, limits: limits, hooks: hooks)
            }
            return try change.register(
                draft, id: DeviceID(at: change.time), action: .created, box: box, limits: limits, hooks: hooks)
        }
    }

    /// - Parameter version: What the caller believes to be the current version; `stale` when it is not.
    package func changeDevice(
        _ reference: String, _ draft: DeviceChange, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws -> Device {
        try await changeDevice(reference, version: version, by: principal, in: scope) { _ in draft }
    }

    /// Deletes a device softly: its code and external identifiers are free, its readings stay, and it can come back.
    package func deleteDevice(
        _ reference: String, version: Int? = nil, by principal: Principal, in scope: AccessScope
    ) async throws {
        let hooks = hooks
        _ = try await change(by: principal, in: scope, forgetting: { .device($0) }) { change -> DeviceID in
            var row = try change.reading.deviceRow(reference)
            try RegistryChange.require(version, is: row.version)
            let before = try change.reading.device(row.id)
            let entry = try DeviceEntry.find(row.id, tenant: change.tenant, in: change.transaction)
            row.deletedAt = change.time
            row.updatedAt = change.time
            row.version += 1
            try row.update(tenant: change.tenant, in: change.transaction)
            try change.transaction.execute(
                """
                UPDATE device_external_ids SET is_active = \(false)
                WHERE tenant_id = \(change.tenant) AND device_id = \(row.id)
                """)
            if let entry {
                for hook in hooks { try hook.deleted(entry, at: change.time, in: change.transaction) }
            }
            try change.record(
                .deleted, "device", row.id.description, device: row.id, before: before, after: Device?.none)
            return row.id
        }
    }

    /// Brings a deleted device back, under another code when `code` is given.
    ///
    /// - Throws: `conflict` with `code.taken` or `device.external_id_taken` when another device has its names by now.
    package func restoreDevice(
        _ reference: String, code: String? = nil, by principal: Principal, in scope: AccessScope
    ) async throws -> Device {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: { .device($0.id) }) { change in
            try change.requireRoom(in: "devices", max: limits.devicesMax, where: "deleted_at IS NULL")
            var row = try change.reading.deviceRow(reference, deleted: true)
            row.code = try change.newCode(code ?? row.code, name: row.name, table: "devices")
            row.deletedAt = nil
            row.updatedAt = change.time
            row.version += 1
            try row.update(tenant: change.tenant, in: change.transaction)
            let own = try change.transaction.rows(
                """
                SELECT scheme, value FROM device_external_ids
                WHERE tenant_id = \(change.tenant) AND device_id = \(row.id)
                """
            ).map { ExternalID(scheme: try $0.get("scheme"), value: try $0.get("value")) }
            try change.keepExternalIDs(own, of: row.id, limits: limits)
            let device = try change.reading.device(row.id)
            try change.record(
                .restored, "device", row.id.description, device: row.id, before: Device?.none, after: device)
            return device
        }
    }

    /// Changes a device by what `draft` makes of its row.
    func changeDevice(
        _ reference: String, version: Int?, by principal: Principal, in scope: AccessScope,
        _ draft: @escaping @Sendable (DeviceRow) throws -> DeviceChange
    ) async throws -> Device {
        let (limits, box, hooks) = (limits, secrets, hooks)
        return try await change(by: principal, in: scope, forgetting: { .device($0.id) }) { change in
            let old = try change.reading.deviceRow(reference)
            try RegistryChange.require(version, is: old.version)
            return try change.update(old, by: try draft(old), box: box, limits: limits, hooks: hooks)
        }
    }
}
