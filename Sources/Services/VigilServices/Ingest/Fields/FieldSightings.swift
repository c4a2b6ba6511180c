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
        private var knownDevices: Set<DeviceID> = []
        private var knownSamples: Set<ReadingValue> = []

        init(first: Timestamp, last: Timestamp, kind: ReadingValue.Kind, unit: String?) {
            (self.first, self.last, self.kind, self.unit) = (first, last, kind, unit)
        }

        /// Adds values of one device; the newest is sample enough.
        mutating func add(
            _ count: Int, _ kind: ReadingValue.Kind, unit: String?, device: DeviceID, at now: Timestamp,
            newest: () -> ReadingValue
        ) {
            last = now
            self.count += count
            self.kind = kind
            if let unit { self.unit = unit }
            if samples.count < FieldSightings.samplesMax {
                let value = newest()
                if knownSamples.insert(value).inserted { samples.append(value.json) }
            }
            if devices.count < FieldSightings.devicesMax, knownDevices.insert(device).inserted {
                devices.append(device)
            }
        }
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

    func note(_ prepared: PreparedRows, tenant: TenantID, at now: Timestamp) {
        let settled = decided[tenant] ?? []
        // A batch has few different fields, however many devices: look each up once.
        var fields = waiting.removeValue(forKey: tenant) ?? [:]
        for (place, part) in prepared.parts.enumerated() where !part.undescribed.isEmpty {
            let extent = prepared.extents[place]
            guard let device = part.device?.entry.id, extent.rowCount > 0 else { continue }
            let row = prepared.rows.rows[Int(extent.newestRow)]
            for field in part.undescribed where !settled.contains(part.metrics[field]) {
                let kind = part.shape.kinds[field]
                let metric = part.metrics[field]
                if fields[metric] == nil {
                    if fields.count >= Self.fieldsMax { continue }
                    fields[metric] = Sighting(first: now, last: now, kind: kind, unit: part.units[field])
                }
                fields[metric]?.add(extent.rowCount, kind, unit: part.units[field], device: device, at: now) {
                    prepared.rows.value(kind, at: Int(row.firstWord) + field)
                }
            }
        }
        if !fields.isEmpty { waiting[tenant] = fields }
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
