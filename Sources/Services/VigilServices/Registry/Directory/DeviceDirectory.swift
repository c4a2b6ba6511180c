package import VigilModel
package import VigilPorts

/// Knows which device a name in a reading means, without a statement per reading.
///
/// A bounded memory over the tables. What the registry changes is forgotten at once in this process, and through the bus
/// (topic `registry.<tenant>`) in others; since the bus may lose a message, nothing is believed for longer than
/// ``Settings/lifetime``.
package actor DeviceDirectory {
    package struct Settings: Sendable {
        /// Names and devices kept in memory, over all tenants.
        package var entriesMax = 200_000
        /// How long an entry is believed.
        package var lifetime = Span.minutes(1)
        /// Devices of a tenant that may wait to be claimed or are ignored.
        package var discoveriesMax = 1000
        /// The longest name, in bytes.
        package var referenceBytesMax = 255
        /// The largest sample that is kept, in bytes of JSON.
        package var sampleBytesMax = 4096
        /// How often sightings of discovered devices are written.
        package var flushInterval = Span.seconds(5)

        package init() {}
    }

    struct Key: Hashable {
        let tenant: TenantID
        let reference: String
    }

    struct Held {
        let device: KnownDevice
        let until: Timestamp
    }

    struct Sightings {
        var count: Int
        var last: Timestamp
    }

    let relational: any RelationalStore
    let bus: any Bus
    let clock: any TimeSource
    let settings: Settings
    var held: [Key: Held] = [:]
    /// Counts what was forgotten, so that a row that was read before is not kept after.
    var forgotten: [TenantID: Int] = [:]
    var sightings: [TenantID: [DeviceID: Sightings]] = [:]
    var rosters = RosterShelf()

    package init(stores: Stores, clock: any TimeSource, settings: Settings = Settings()) {
        relational = stores.relational
        bus = stores.bus
        self.clock = clock
        self.settings = settings
    }

    /// The living device that a name means, `nil` when there is none: its UUID, its code, an external identifier (`value`
    /// or `scheme:value`), or what a discovered device calls itself.
    package func find(_ reference: String, tenant: TenantID) async throws -> DeviceEntry? {
        let key = Key(tenant: tenant, reference: reference)
        if let known = held[key], known.until > clock.now() { return known.device.entry }
        let mark = forgotten[tenant, default: 0]
        let entry = try await relational.read(in: SystemScope.tenant(tenant, "device directory")) { transaction in
            try DeviceEntry.find(reference, tenant: tenant, in: transaction)
        }
        if let entry { keep(entry, for: key, mark: mark) }
        return entry
    }

    /// The living device with an identifier.
    package func entry(of device: DeviceID, tenant: TenantID) async throws -> DeviceEntry? {
        try await find(device.description, tenant: tenant)
    }

    /// The device that a name means; an unknown name becomes a discovered device, which keeps its identifier when it is
    /// claimed.
    ///
    /// - Parameter sample: What it sent, for whoever decides about it; cut when it is large.
    /// - Throws: `invalid` for a name that no device can have; `tooMany` with `discovery.limit` when as many devices of
    ///   the tenant wait as may.
    package func findOrDiscover(_ reference: String, tenant: TenantID, sample: JSONValue) async throws -> DeviceEntry {
        if let entry = try await find(reference, tenant: tenant) { return entry }
        try checkReference(reference)
        let mark = forgotten[tenant, default: 0]
        let discovery = Discovery(
            reference: reference, sample: bounded(sample), time: clock.now(), limit: settings.discoveriesMax)
        let entry = try await relational.write(in: SystemScope.tenant(tenant, "device discovery")) { transaction in
            try DeviceEntry.find(reference, tenant: tenant, in: transaction)
                ?? discovery.insert(tenant: tenant, in: transaction)
        }
        keep(entry, for: Key(tenant: tenant, reference: reference), mark: mark)
        return entry
    }

    /// Counts readings of a discovered device; written every few seconds by ``run()``.
    package func noteSightings(_ count: Int, of device: DeviceID, tenant: TenantID, at time: Timestamp) {
        var noted = sightings[tenant]?[device] ?? Sightings(count: 0, last: time)
        noted.count += count
        noted.last = max(noted.last, time)
        sightings[tenant, default: [:]][device] = noted
    }

    /// Forgets what is known of a device, or with `nil` of all the tenant's devices, because it has changed.
    ///
    /// Of discovered devices everything is forgotten: one may have stood in for a name that belongs to the device now.
    package func forget(_ device: DeviceID?, tenant: TenantID) {
        forgotten[tenant, default: 0] += 1
        rosters.forget(tenant)
        held = held.filter { key, value in
            key.tenant != tenant
                || (device != nil && value.device.entry.id != device && !value.device.entry.isDiscovered)
        }
    }

    @discardableResult
    func keep(_ entry: DeviceEntry, for key: Key, mark: Int, until: Timestamp? = nil) -> KnownDevice {
        let known = held[key]?.device
        let device = known.flatMap { $0.entry == entry ? $0 : nil } ?? KnownDevice(entry)
        guard forgotten[key.tenant, default: 0] == mark else { return device }
        // Starting over is as good as any other choice here: a full memory means that names come and go.
        if held.count >= settings.entriesMax { held.removeAll(keepingCapacity: true) }
        held[key] = Held(device: device, until: until ?? clock.now() + settings.lifetime)
        return device
    }

    func checkReference(_ reference: String) throws(ServiceError) {
        guard (1...settings.referenceBytesMax).contains(reference.utf8.count) else {
            throw .invalid("device", "must have 1 to \(settings.referenceBytesMax) bytes", code: "device.reference")
        }
        guard reference.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace || $0 == " " }),
            reference.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw .invalid("device", "must not have control characters", code: "device.reference") }
    }

    func bounded(_ sample: JSONValue) -> JSONValue {
        let text = sample.canonicalText
        guard text.utf8.count > settings.sampleBytesMax else { return sample }
        return .object(["truncated": .string(String(text.prefix(settings.sampleBytesMax / 4)))])
    }
}
