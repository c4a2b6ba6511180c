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

        /// Adds values of a batch.
        ///
        /// The newest of each device is sample enough, and so are those of as many devices as samples are kept.
        mutating func add(
            _ count: Int, _ kind: ReadingValue.Kind, devices named: [DeviceID],
            samples newest: some Sequence<ReadingValue>,
            at now: Timestamp
        ) {
            last = now
            self.count += count
            self.kind = kind
            if samples.count < FieldSightings.samplesMax {
                for value in newest where samples.count < FieldSightings.samplesMax {
                    if knownSamples.insert(value).inserted { samples.append(value.json) }
                }
            }
            if devices.count < FieldSightings.devicesMax {
                for device in named where devices.count < FieldSightings.devicesMax {
                    if knownDevices.insert(device).inserted { devices.append(device) }
                }
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
        for group in Self.groups(of: prepared) {
            let part = group.part
            for field in part.undescribed where !settled.contains(part.metrics[field]) {
                let kind = part.shape.kinds[field]
                let place = fields.place(of: part.metrics[field], kind, unit: part.units[field], at: now)
                guard place >= 0 else { continue }
                let newest = group.newest.lazy.map { prepared.rows.value(kind, at: $0 + field) }
                fields.all[place].add(group.count, kind, devices: group.devices, samples: newest, at: now)
                for other in group.withUnits where other.units[field] != nil {
                    fields.all[place].unit = other.units[field]
                }
            }
        }
        if !fields.all.isEmpty { waiting[tenant] = fields }
    }

    /// The parts of a batch that have the same fields nobody describes: few, however many devices it has.
    private struct Group {
        let part: RoutedPart
        var count = 0
        /// The first words of the newest rows of some parts.
        var newest: [Int] = []
        var devices: [DeviceID] = []
        /// The parts that say a unit.
        var withUnits: [RoutedPart] = []

        func holds(_ other: RoutedPart) -> Bool {
            part.names === other.names && part.undescribed == other.undescribed
        }
    }

    private static func groups(of prepared: PreparedRows) -> [Group] {
        var groups: [Group] = []
        var known: [ObjectIdentifier: Int] = [:]
        var last = 0
        for (place, part) in prepared.parts.enumerated() where !part.undescribed.isEmpty {
            let extent = prepared.extents[place]
            guard let device = part.deviceID, extent.rowCount > 0 else { continue }
            if last >= groups.count || !groups[last].holds(part) {
                // Devices of one measurement differ in what their profiles describe.
                last = known[ObjectIdentifier(part.names)] ?? groups.count
                if last < groups.count, !groups[last].holds(part) {
                    last = groups.firstIndex { $0.holds(part) } ?? groups.count
                }
                if last == groups.count {
                    groups.append(Group(part: part))
                    known[ObjectIdentifier(part.names)] = last
                }
            }
            groups[last].count += extent.rowCount
            if groups[last].newest.count < samplesMax {
                groups[last].newest.append(Int(prepared.rows.rows[Int(extent.newestRow)].firstWord))
            }
            if groups[last].devices.count < devicesMax { groups[last].devices.append(device) }
            if part.hasUndescribedUnits { groups[last].withUnits.append(part) }
        }
        return groups
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
