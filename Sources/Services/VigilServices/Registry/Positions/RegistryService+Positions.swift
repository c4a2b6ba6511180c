package import VigilModel
import VigilPorts

/// Where a device was, from when to when.
package struct DevicePosition: Codable, Sendable, Hashable {
    package var id: EntryID
    package var latitude: Double
    package var longitude: Double
    /// Metres.
    package var altitude: Double?
    /// Metres.
    package var accuracy: Double?
    package var address: String?
    package var details: JSONValue
    package var validFrom: Timestamp
    /// Absent: it is there now.
    package var validTo: Timestamp?
    package var changedBy: String
}

/// Where a device is, and since when.
package struct PositionDraft: Codable, Sendable {
    package var latitude: Double
    package var longitude: Double
    package var altitude: Double?
    package var accuracy: Double?
    package var address: String?
    package var details: JSONValue?
    /// Now when absent; not before the position that it closes.
    package var validFrom: Timestamp?

    package init(
        latitude: Double, longitude: Double, altitude: Double? = nil, accuracy: Double? = nil, address: String? = nil,
        details: JSONValue? = nil, validFrom: Timestamp? = nil
    ) {
        self.latitude = latitude
        self.longitude = longitude
        self.altitude = altitude
        self.accuracy = accuracy
        self.address = address
        self.details = details
        self.validFrom = validFrom
    }
}

extension RegistryService {
    /// The positions of a device, newest first; with `time` the one at that moment.
    package func positions(
        of reference: String, at time: Timestamp? = nil, _ page: PageRequest = .first, in scope: AccessScope
    ) async throws -> Portion<DevicePosition> {
        let before = try page.cursor.map { (try $0.integer(at: 0), try $0.text(at: 1)) }
        return try await read(in: scope) { reading in
            let device = try reading.deviceRow(reference).id
            var conditions: [SQL] = ["tenant_id = \(reading.tenant)", "device_id = \(device)"]
            if let before { conditions.append("(valid_from, id) < (\(before.0), \(before.1))") }
            if let time {
                conditions.append("valid_from <= \(time) AND (valid_to IS NULL OR valid_to > \(time))")
            }
            let rows = try reading.transaction.rows(
                """
                SELECT id, latitude, longitude, altitude, accuracy, address, details, valid_from, valid_to, changed_by
                FROM device_positions WHERE \(conditions.joined(" AND "))
                ORDER BY valid_from DESC, id DESC LIMIT \(page.limit + 1)
                """
            ).map(DevicePosition.init(row:))
            return Portion(of: rows, limit: page.limit) {
                [.integer($0.validFrom.microseconds), .string($0.id.description)]
            }
        }
    }

    /// Says where a device is from a moment on; the position before ends then.
    ///
    /// The same place again changes nothing.
    ///
    /// - Throws: `conflict` with `position.order` for a moment before the present position began.
    package func addPosition(
        _ draft: PositionDraft, of reference: String, by principal: Principal, in scope: AccessScope
    ) async throws -> DevicePosition {
        let limits = limits
        return try await change(by: principal, in: scope, forgetting: .nothing) { change in
            let device = try change.reading.deviceRow(reference).id
            let position = try DevicePosition(draft, at: change.time, by: change.actor, limits: limits)
            let open: SQL = "tenant_id = \(change.tenant) AND device_id = \(device) AND valid_to IS NULL"
            let present = try change.transaction.rows(
                """
                SELECT id, latitude, longitude, altitude, accuracy, address, details, valid_from, valid_to, changed_by
                FROM device_positions WHERE \(open)
                """
            ).first.map(DevicePosition.init(row:))
            if let present {
                guard position.validFrom >= present.validFrom else {
                    throw ServiceError(
                        .conflict, "position.order", "The device has a position that began later.")
                }
                if present.isSamePlace(as: position) { return present }
                try change.transaction.execute(
                    "UPDATE device_positions SET valid_to = \(position.validFrom) WHERE \(open)")
            }
            try position.insert(device: device, tenant: change.tenant, in: change.transaction)
            try change.record(
                .updated, "device", device.description, device: device,
                before: present.map { ["position": $0] }, after: ["position": position])
            return position
        }
    }
}

extension DevicePosition {
    init(row: SQLRow) throws {
        self.init(
            id: try row.get("id"), latitude: try row.get("latitude"), longitude: try row.get("longitude"),
            altitude: try row.optional("altitude"), accuracy: try row.optional("accuracy"),
            address: try row.optional("address"), details: try row.get("details"),
            validFrom: try row.get("valid_from"), validTo: try row.optional("valid_to"),
            changedBy: try row.get("changed_by"))
    }

    fileprivate init(_ draft: PositionDraft, at time: Timestamp, by actor: String, limits: RegistryLimits) throws {
        guard (-90...90).contains(draft.latitude), (-180...180).contains(draft.longitude) else {
            throw ServiceError.invalid(
                "latitude", "must be −90 to 90, and longitude −180 to 180", code: "request.field")
        }
        guard draft.accuracy ?? 0 >= 0, draft.accuracy?.isFinite != false, draft.altitude?.isFinite != false else {
            throw ServiceError.invalid("accuracy", "must be 0 or more", code: "request.field")
        }
        // Clocks of devices run ahead a little; a position of tomorrow would close today's.
        guard draft.validFrom ?? time <= time + .minutes(5) else {
            throw ServiceError.invalid("validFrom", "must not be in the future", code: "request.field")
        }
        self.init(
            id: EntryID(at: time), latitude: draft.latitude, longitude: draft.longitude, altitude: draft.altitude,
            accuracy: draft.accuracy,
            address: try draft.address.map { try TextRules.name($0, field: "address", max: 1000) },
            details: try TextRules.json(draft.details ?? .emptyObject, field: "details", bytesMax: limits.jsonBytesMax),
            validFrom: draft.validFrom ?? time, validTo: nil, changedBy: actor)
    }

    fileprivate func isSamePlace(as other: DevicePosition) -> Bool {
        latitude == other.latitude && longitude == other.longitude && altitude == other.altitude
            && address == other.address && details == other.details
    }

    fileprivate func insert(device: DeviceID, tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO device_positions (id, tenant_id, device_id, latitude, longitude, altitude, accuracy, address,
                details, valid_from, changed_by)
            VALUES (\(id), \(tenant), \(device), \(latitude), \(longitude), \(altitude), \(accuracy), \(address),
                \(details), \(validFrom), \(changedBy))
            """)
    }
}
