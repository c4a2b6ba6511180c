import VigilModel
import VigilPorts

/// What batches brought of fields that nobody knows, gathered in memory and written now and then.
///
/// A crash loses the counts of the last seconds, never readings: those are stored before anything is noted here.
actor FieldSightings {
    /// Of one field, since it was last written.
    struct Sighting: Sendable {
        var first: Timestamp
        var last: Timestamp
        var count = 0
        var kind: ReadingValue.Kind
        var unit: String?
        var samples: [JSONValue] = []
        var devices: [DeviceID] = []
    }

    /// Distinct values kept of a field.
    static let samplesMax = 50
    /// Devices named of a field.
    static let devicesMax = 100
    /// Unknown fields of a tenant; more are not catalogued, though their readings are kept.
    static let fieldsMax = 10_000

    private var waiting: [TenantID: [String: Sighting]] = [:]
    /// Fields that somebody has decided about: nothing more is noted of them.
    private var decided: [TenantID: Set<String>] = [:]

    func note(_ tables: [PreparedTable], tenant: TenantID, at now: Timestamp) {
        let settled = decided[tenant] ?? []
        for table in tables {
            guard let device = table.device else { continue }
            let handler = ReadingHandler(named: device.handler)
            for (index, column) in table.table.columns.enumerated() where !column.field.hasPrefix("__") {
                let metric = table.table.source.metric(of: column.field)
                let isKnown =
                    handler.knows(column.field) || settled.contains(metric) || device.units[metric] != nil
                    || device.units[column.field] != nil || device.ranges[metric] != nil
                    || device.ranges[column.field] != nil
                if !isKnown { note(column, metric, device.id, unit: table.units[index], tenant: tenant, at: now) }
            }
        }
    }

    private func note(
        _ column: ReadingColumn, _ metric: String, _ device: DeviceID, unit: String?, tenant: TenantID,
        at now: Timestamp
    ) {
        let count = column.presentCount
        guard count > 0 else { return }
        let isNew = waiting[tenant]?[metric] == nil
        if isNew, waiting[tenant]?.count ?? 0 >= Self.fieldsMax { return }
        var sighting =
            waiting[tenant]?[metric] ?? Sighting(first: now, last: now, kind: column.values.kind, unit: unit)
        sighting.last = now
        sighting.count += count
        sighting.kind = column.values.kind
        sighting.unit = unit ?? sighting.unit
        // The last values of a batch are sample enough.
        for row in stride(from: column.values.count - 1, through: max(0, column.values.count - 4), by: -1) {
            guard sighting.samples.count < Self.samplesMax, let value = column[row]?.json else { continue }
            if !sighting.samples.contains(value) { sighting.samples.append(value) }
        }
        if sighting.devices.count < Self.devicesMax, !sighting.devices.contains(device) {
            sighting.devices.append(device)
        }
        waiting[tenant, default: [:]][metric] = sighting
    }

    /// Takes what waits to be written.
    func take() -> [TenantID: [String: Sighting]] {
        defer { waiting = [:] }
        return waiting
    }

    /// Remembers what is decided, so that batches pass it over.
    func settle(_ names: Set<String>, tenant: TenantID) { decided[tenant] = names }
}

extension ReadingHandler {
    /// Whether it is this handler's own field.
    func knows(_ field: String) -> Bool {
        switch self {
        case .door, .window: field == "state" || field == "open"
        case .camera: field == "motion_detected" || field == "image_url"
        case .motion, .glassBreak, .smoke, .carbonMonoxide, .waterLeak, .temperature, .numeric:
            field == defaultMetric
        case .custom: false
        }
    }
}
