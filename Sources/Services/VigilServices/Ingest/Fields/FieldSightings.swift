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
        var kind: ReadingValue.Kind {
            didSet { if kind != oldValue { earlierKinds.insert(oldValue) } }
        }
        private var earlierKinds: Set<ReadingValue.Kind> = []
        var unit: String?
        var samples: [JSONValue] = []
        var devices: [DeviceID] = []
        private var knownDevices: Set<DeviceID> = []
        private var knownSamples: Set<ReadingValue> = []

        /// Every kind that its values had.
        var kinds: Set<ReadingValue.Kind> { earlierKinds.union([kind]) }

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

    /// The fields of a tenant, each found by its metric.
    private struct Fields {
        var all: [Sighting] = []
        var places: [String: Int] = [:]

        /// -1 when there are too many.
        mutating func place(of metric: String, _ kind: ReadingValue.Kind, unit: String?, at now: Timestamp) -> Int {
            if let known = places[metric] { return known }
            guard all.count < FieldSightings.fieldsMax else { return -1 }
            places[metric] = all.count
            all.append(Sighting(first: now, last: now, kind: kind, unit: unit))
            return all.count - 1
        }
    }

    private var waiting: [TenantID: Fields] = [:]
    /// Fields that somebody has decided about: nothing more is noted of them.
    private var decided: [TenantID: Set<String>] = [:]

    func note(_ prepared: PreparedRows, tenant: TenantID, at now: Timestamp) {
        var fields = waiting.removeValue(forKey: tenant) ?? Fields()
        let settled = decided[tenant] ?? []
        // A batch has few different lists of fields, however many devices: each is looked up once.
        var known: [ObjectIdentifier: [Int]] = [:]
        for (place, part) in prepared.parts.enumerated() where !part.undescribed.isEmpty {
            let extent = prepared.extents[place]
            guard let device = part.device?.entry.id, extent.rowCount > 0 else { continue }
            let places: [Int]
            if let found = known[ObjectIdentifier(part.names)] {
                places = found
            } else {
                places = part.names.metrics.enumerated().map { field, metric in
                    settled.contains(metric)
                        ? -1 : fields.place(of: metric, part.shape.kinds[field], unit: part.units[field], at: now)
                }
                known[ObjectIdentifier(part.names)] = places
            }
            let firstWord = Int(prepared.rows.rows[Int(extent.newestRow)].firstWord)
            for field in part.undescribed where places[field] >= 0 {
                let kind = part.shape.kinds[field]
                fields.all[places[field]].add(
                    extent.rowCount, kind, unit: part.units[field], device: device, at: now
                ) { prepared.rows.value(kind, at: firstWord + field) }
            }
        }
        if !fields.all.isEmpty { waiting[tenant] = fields }
    }

    /// Takes what waits to be written.
    func take() -> [TenantID: [String: Sighting]] {
        defer { waiting = [:] }
        return waiting.mapValues { fields in
            fields.places.mapValues { fields.all[$0] }.filter { $0.value.count > 0 }
        }
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
