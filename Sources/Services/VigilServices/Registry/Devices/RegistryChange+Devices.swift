import VigilModel
import VigilPorts

extension RegistryChange {
    /// Writes a new device, or the row of a discovered one that is claimed.
    func register(
        _ draft: DeviceDraft, id: DeviceID, action: Action, box: SecretBox, limits: RegistryLimits,
        hooks: [any DeviceHook]
    ) throws -> Device {
        let profile = try draft.profile.map { try reading.profile($0) }
        let place = try place(site: draft.site, location: draft.location)
        if place.location == nil { try requireWholeTenant() }
        let name = try TextRules.name(draft.name)
        let settings = try ConnectionSettings(draft.connection ?? .emptyObject, bytesMax: limits.jsonBytesMax)
        let row = DeviceRow(
            id: id, code: try newCode(draft.code, name: name, table: "devices"), name: name,
            kind: try TextRules.word(draft.kind ?? profile?.kind ?? "sensor", field: "kind"),
            handler: try draft.handler.map { try ReadingHandler.checked($0) }, profile: profile?.id,
            owner: try draft.owner.map { try member($0) }, site: place.site, location: place.location,
            status: draft.status ?? .active,
            expectedInterval: try draft.expectedIntervalSeconds.map { try TextRules.interval($0) },
            connection: settings.settings,
            metadata: try TextRules.json(
                draft.metadata ?? .emptyObject, field: "metadata", bytesMax: limits.jsonBytesMax),
            isDiscovered: false, version: action == .claimed ? 2 : 1, createdAt: time, updatedAt: time)
        if action == .claimed {
            try row.update(tenant: tenant, in: transaction)
        } else {
            try row.insert(tenant: tenant, in: transaction)
        }
        try keepExternalIDs(draft.externalIDs ?? [], of: id, limits: limits)
        try keepSecrets(settings.secrets.merging(draft.secrets ?? [:]) { $1 }, of: id, box: box, limits: limits)
        try keepMetadata(of: id, old: nil, new: row.metadata)
        let device = try reading.device(id)
        if let entry = try DeviceEntry.find(id, tenant: tenant, in: transaction) {
            for hook in hooks {
                try hook.profileAssigned(entry, rules: profile?.rules ?? [], at: time, in: transaction)
                if row.status != .active {
                    try hook.statusChanged(entry, from: .active, at: time, in: transaction)
                }
            }
        }
        try record(action, "device", id.description, device: id, before: Device?.none, after: device)
        return device
    }

    func update(
        _ old: DeviceRow, by draft: DeviceChange, box: SecretBox, limits: RegistryLimits, hooks: [any DeviceHook]
    ) throws -> Device {
        let before = try reading.device(old.id)
        var row = old
        if let name = draft.name { row.name = try TextRules.name(name) }
        if let code = draft.code, code != old.code { row.code = try newCode(code, name: row.name, table: "devices") }
        if let kind = draft.kind { row.kind = try TextRules.word(kind, field: "kind") }
        row.handler = try draft.handler.map { try ReadingHandler.checked($0) }.applied(to: old.handler)
        let profile = try draft.profile.map { try reading.profile($0) }
        row.profile = profile.map(\.id).applied(to: old.profile)
        row.owner = try draft.owner.map { try member($0) }.applied(to: old.owner)
        row.status = draft.status ?? old.status
        row.expectedInterval = try draft.expectedIntervalSeconds.map { try TextRules.interval($0) }
            .applied(to: old.expectedInterval)
        try move(&row, as: draft)
        var secrets = draft.secrets ?? [:]
        if let connection = draft.connection {
            let settings = try ConnectionSettings(connection, bytesMax: limits.jsonBytesMax)
            row.connection = settings.settings
            secrets.merge(settings.secrets) { given, _ in given }
        }
        if let metadata = draft.metadata {
            row.metadata = try TextRules.json(metadata, field: "metadata", bytesMax: limits.jsonBytesMax)
        }
        if let identifiers = draft.externalIDs { try keepExternalIDs(identifiers, of: row.id, limits: limits) }
        try keepSecrets(secrets, of: row.id, box: box, limits: limits)
        let changesIdentifiers = draft.externalIDs.map { Set($0) != Set(before.externalIDs) } ?? false
        guard row != old || !secrets.isEmpty || changesIdentifiers else { return before }
        row.version += 1
        row.updatedAt = time
        try row.update(tenant: tenant, in: transaction)
        if row.metadata != old.metadata { try keepMetadata(of: row.id, old: old.metadata, new: row.metadata) }
        let device = try reading.device(row.id)
        if let entry = try DeviceEntry.find(row.id, tenant: tenant, in: transaction) {
            for hook in hooks {
                if row.status != old.status {
                    try hook.statusChanged(entry, from: old.status, at: time, in: transaction)
                }
                if row.profile != old.profile {
                    try hook.profileAssigned(entry, rules: profile.value?.rules ?? [], at: time, in: transaction)
                }
            }
        }
        try record(.updated, "device", row.id.description, device: row.id, before: before, after: device)
        return device
    }

    /// Replaces the external identifiers of a living device.
    ///
    /// - Throws: `conflict` with `device.external_id_taken`.
    func keepExternalIDs(_ identifiers: [ExternalID], of device: DeviceID, limits: RegistryLimits) throws {
        guard identifiers.count <= limits.externalIDsPerDeviceMax, Set(identifiers).count == identifiers.count else {
            throw ServiceError.invalid(
                "externalIDs", "must be at most \(limits.externalIDsPerDeviceMax), each once", code: "request.field")
        }
        try transaction.execute(
            "DELETE FROM device_external_ids WHERE tenant_id = \(tenant) AND device_id = \(device)")
        for identifier in identifiers {
            let scheme = try TextRules.word(identifier.scheme, field: "externalIDs.scheme")
            let value = try TextRules.name(identifier.value, field: "externalIDs.value")
            guard
                try transaction.rows(
                    """
                    SELECT 1 AS one FROM device_external_ids
                    WHERE tenant_id = \(tenant) AND value = \(value) AND scheme = \(scheme) AND is_active
                    """
                ).isEmpty
            else {
                throw ServiceError(
                    .conflict, "device.external_id_taken", "Another device has this external identifier.",
                    fields: [FieldFault(field: "externalIDs", reason: "has one that is taken")])
            }
            try transaction.execute(
                """
                INSERT INTO device_external_ids (id, tenant_id, device_id, scheme, value, is_active)
                VALUES (\(EntryID(at: time)), \(tenant), \(device), \(scheme), \(value), \(true))
                """)
        }
    }

    /// A user who may own devices of this tenant: a member of it.
    private func member(_ user: UserID) throws -> UserID {
        guard
            try !transaction.rows(
                "SELECT 1 AS one FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user)"
            ).isEmpty
        else { throw ServiceError.invalid("owner", "is not a member", code: "device.owner") }
        return user
    }

    /// Site and location of a device; the location says the site.
    private func place(site: String?, location: String?) throws -> (site: SiteID?, location: LocationID?) {
        guard let location else { return (try site.map { try reading.site($0).id }, nil) }
        let found = try reading.location(location)
        return (try self.site(named: site, above: found), found.id)
    }

    /// Another site without a word about the location takes the device out of its location.
    private func move(_ row: inout DeviceRow, as draft: DeviceChange) throws {
        switch (draft.site, draft.location) {
        case (.keep, .keep): return
        case (let site, .set(let location)):
            (row.site, row.location) = try place(site: site.value, location: location)
        case (.set(let site), _):
            let place = try place(site: site, location: nil)
            if place.site != row.site || draft.location == .clear { row.location = nil }
            row.site = place.site
        case (.clear, _): (row.site, row.location) = (nil, nil)
        case (.keep, .clear): row.location = nil
        }
        if row.location == nil { try requireWholeTenant() }
    }
}
