import VigilModel
import VigilPorts

extension IngestService {
    /// Takes JSON readings, all of one device when `device` is given, otherwise each with its own.
    ///
    /// Bad readings are refused one by one, and the good ones stored.
    /// - Throws: `invalid` with the first reasons when no reading was good; `notFound` when `device` is an
    ///   identifier that is unknown, or may not be seen.
    package func receiveJSON(_ body: [UInt8], device: String?, by principal: Principal) async throws -> IngestReceipt {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        var held = 0
        defer { bytesInFlight.give(held) }
        try bytesInFlight.take(body.count, holding: &held)
        var decoder = ReadingDecoder(settings: settings)
        try decoder.decode(body)
        var named: KnownDevice?
        if let device {
            named = try await directory.find([device], tenant: tenant).first ?? nil
            if let named, !scope.shows(named.entry.id) { throw ServiceError.notFound("device") }
            if named == nil {
                // A name that nobody knows is discovered, as in every other form; an identifier is not a name.
                guard DeviceID(device) == nil else { throw ServiceError.notFound("device") }
                for place in decoder.readings.indices { decoder.readings[place].reference = device }
            }
        }
        return try await receive(
            decoder.readings, device: named, refusals: decoder.refusals, form: "json", by: principal, scope: scope,
            tenant: tenant)
    }

    /// Takes SteamBytes' form: `{site_id, timestamp, readings: [{sensor_type, value}]}`.
    package func receiveSteam(_ body: [UInt8], by principal: Principal) async throws -> IngestReceipt {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        var held = 0
        defer { bytesInFlight.give(held) }
        try bytesInFlight.take(body.count, holding: &held)
        guard let text = String(validating: body, as: UTF8.self),
            let value = try? JSONValue(parsing: text)
        else { throw ServiceError(.invalid, "request.json", "The body is not JSON.") }
        guard let site = value["site_id"]?.text, let list = value["readings"]?.elements else {
            throw ServiceError.invalid("site_id, readings", "are required", code: "request.field")
        }
        let shared = try ReadingTime.time(of: value["timestamp"], as: "timestamp")
        var refusals = Refusals()
        var readings: [IncomingReading] = []
        for (index, item) in list.prefix(settings.readingsMax).enumerated() {
            guard let type = item["sensor_type"]?.text, let number = item["value"] else {
                refusals.add(
                    Refusal(line: index + 1, code: "reading.form", reason: "sensor_type and value are required"))
                continue
            }
            var reading = IncomingReading(line: index + 1, value: number)
            reading.reference = item["sensor_id"]?.text ?? "\(site)_\(type)"
            (reading.metric, reading.readingType, reading.unit) = (type, type, item["unit"]?.text)
            reading.time = try ReadingTime.time(of: item["timestamp"], as: "timestamp") ?? shared
            reading.raw = item.canonicalText
            readings.append(reading)
        }
        return try await receive(
            readings, device: nil, refusals: refusals, form: "steam", by: principal, scope: scope, tenant: tenant)
    }

    /// Finds devices, runs handlers, and stores.
    func receive(
        _ readings: [IncomingReading], device: KnownDevice?, refusals: Refusals, form: String, by principal: Principal,
        scope: AccessScope, tenant: TenantID
    ) async throws -> IngestReceipt {
        var refusals = refusals
        let arrival = clock.now()
        let devices = try await device == nil ? self.devices(of: readings, scope: scope, tenant: tenant) : [:]
        var builder = BatchBuilder(isNormalised: true)
        // Readings of one device without a time arrive together and are still several.
        var untimed: [String: Int64] = [:]
        for var reading in readings {
            if reading.time == nil {
                let reference = reading.reference ?? ""
                let place = untimed[reference, default: 0]
                untimed[reference] = place + 1
                if place > 0 { reading.time = arrival + Span(microseconds: place) }
            }
            do throws(ServiceError) {
                guard let reference = reading.reference ?? device?.entry.code else {
                    throw .invalid("device", "is missing", code: "device.missing")
                }
                let named: Result<KnownDevice, ServiceError>? = device.map { .success($0) } ?? devices[reference]
                guard let named else { throw .notFound("device") }
                try add(reading, of: try named.get(), arrival: arrival, to: &builder)
            } catch {
                refusals.add(Refusal(line: reading.line, error: error))
            }
        }
        if builder.rows.isEmpty, let first = refusals.first.first {
            _ = try await store(
                PreparedRows(), refusals: refusals, form: form, arrival: arrival, principal: principal, tenant: tenant)
            throw ServiceError(
                .invalid, "ingest.refused", "No reading was stored: \(first.reason)",
                fields: refusals.first.prefix(20).map {
                    FieldFault(field: "readings", reason: $0.reason, line: $0.line)
                })
        }
        let ingest = await tenants.ingest(of: tenant)
        let parts = try await ingest.route(builder.wanted, sourcesAreKept: false)
        let prepared = PreparedRows(builder.rows, parts, lines: builder.lines, refusals: &refusals)
        return try await store(
            prepared, refusals: refusals, form: form, arrival: arrival, principal: principal, tenant: tenant)
    }

    /// The devices that readings name, each looked up once.
    private func devices(of readings: [IncomingReading], scope: AccessScope, tenant: TenantID) async throws
        -> [String: Result<KnownDevice, ServiceError>]
    {
        var references: [String] = []
        var samples: [JSONValue] = []
        var places: [String: Int] = [:]
        for reading in readings {
            guard let reference = reading.reference, places[reference] == nil else { continue }
            places[reference] = references.count
            references.append(reference)
            samples.append(reading.value)
        }
        let found = try await find(references, scope: scope, tenant: tenant) { samples[$0] }
        return places.mapValues { found[$0] }
    }

    /// The devices that names mean, each name once; an unknown one is discovered by those who see all devices.
    ///
    /// - Parameter sample: What the device at a place sent; asked of unknown ones only.
    func find(
        _ references: [String], scope: AccessScope, tenant: TenantID, sample: (Int) -> JSONValue
    ) async throws -> [Result<KnownDevice, ServiceError>] {
        let known = try await directory.find(references, tenant: tenant)
        var result = known.map { device -> Result<KnownDevice, ServiceError> in
            guard let device, scope.shows(device.entry.id) else { return .failure(.notFound("device")) }
            return .success(device)
        }
        if case .all = scope.visibility {
            let unknown = known.indices.filter { known[$0] == nil }
            if !unknown.isEmpty {
                let newcomers = unknown.map { place in
                    DeviceDirectory.Newcomer(reference: references[place], sample: sample(place))
                }
                let made = try await directory.discover(newcomers, tenant: tenant)
                for (place, device) in zip(unknown, made) { result[place] = device }
            }
        }
        return result
    }

    /// Checks what all readings must keep to, whatever their form.
    func check(_ entry: DeviceEntry, time: Timestamp, arrival: Timestamp) throws(ServiceError) {
        guard entry.status != .inactive else {
            throw ServiceError(.conflict, "device.inactive", "The device is switched off: its readings are refused.")
        }
        guard time <= arrival + settings.futureMax else {
            throw ServiceError(.invalid, "time.future", "The time is too far in the future.")
        }
        guard time >= .distantPast else { throw ServiceError(.invalid, "time.range", "The time is out of range.") }
    }

    private func add(
        _ reading: IncomingReading, of device: KnownDevice, arrival: Timestamp, to builder: inout BatchBuilder
    ) throws(ServiceError) {
        let time = reading.time ?? arrival
        try check(device.entry, time: time, arrival: arrival)
        let normalised = try device.handler.normalise(reading)
        var fields = normalised.fields
        if let raw = reading.raw {
            let type = reading.readingType ?? reading.metric ?? ""
            let text = "{\"a\":\(arrival.microseconds),\"r\":\(raw)}"
            fields.append((type.isEmpty ? StoredReading.field : "\(StoredReading.field):\(type)", .object(text)))
        }
        builder.add(
            fields, unit: normalised.unit, quality: reading.quality, time: time, labels: reading.labels, device: device,
            line: reading.line)
    }
}

/// How the object of a reading is kept beside its values.
enum StoredReading {
    /// The field of the object as sent: `__reading`, or `__reading:TYPE`.
    static let field = "__reading"
}
