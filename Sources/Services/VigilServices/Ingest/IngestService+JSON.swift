import VigilModel
import VigilPorts

extension IngestService {
    /// Takes JSON readings, all of one device when `device` is given, otherwise each with its own.
    ///
    /// Bad readings are refused one by one, and the good ones stored.
    /// - Throws: `invalid` with the first reasons when no reading was good; `notFound` when `device` is unknown.
    package func receiveJSON(_ body: [UInt8], device: String?, by principal: Principal) async throws -> IngestReceipt {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        var decoder = ReadingDecoder(settings: settings)
        try decoder.decode(body)
        var named: DeviceEntry?
        if let device {
            guard let entry = try await directory.find(device, tenant: tenant), scope.shows(entry.id) else {
                throw ServiceError.notFound("device")
            }
            named = entry
        }
        return try await receive(
            decoder.readings, device: named, refusals: decoder.refusals, form: "json", by: principal, scope: scope,
            tenant: tenant)
    }

    /// Takes SteamBytes' form: `{site_id, timestamp, readings: [{sensor_type, value}]}`.
    package func receiveSteam(_ body: [UInt8], by principal: Principal) async throws -> IngestReceipt {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        guard body.count <= Int.max, let text = String(validating: body, as: UTF8.self),
            let value = try? JSONValue(parsing: text)
        else { throw ServiceError(.invalid, "request.json", "The body is not JSON.") }
        guard let site = value["site_id"]?.text, let list = value["readings"]?.elements else {
            throw ServiceError.invalid("site_id, readings", "are required", code: "request.field")
        }
        let shared = try ReadingTime.time(of: value["timestamp"])
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
            reading.time = try ReadingTime.time(of: item["timestamp"]) ?? shared
            reading.raw = item.canonicalText
            readings.append(reading)
        }
        return try await receive(
            readings, device: nil, refusals: refusals, form: "steam", by: principal, scope: scope, tenant: tenant)
    }

    /// Finds devices, runs handlers, and stores.
    func receive(
        _ readings: [IncomingReading], device: DeviceEntry?, refusals: Refusals, form: String, by principal: Principal,
        scope: AccessScope, tenant: TenantID
    ) async throws -> IngestReceipt {
        var refusals = refusals
        let arrival = clock.now()
        var builder = BatchBuilder()
        var known: [String: Result<DeviceEntry, ServiceError>] = [:]
        for reading in readings {
            do {
                let entry: DeviceEntry
                if let device {
                    entry = device
                } else {
                    guard let reference = reading.reference else {
                        throw ServiceError.invalid("device", "is missing", code: "device.missing")
                    }
                    if known[reference] == nil {
                        known[reference] = try await find(
                            reference, sample: reading.value, scope: scope, tenant: tenant)
                    }
                    entry = try known[reference]?.get() ?? { throw ServiceError.notFound("device") }()
                }
                try add(reading, of: entry, arrival: arrival, to: &builder)
            } catch let error as ServiceError where error.kind != .unavailable {
                refusals.add(Refusal(line: reading.line, error: error))
            }
        }
        let tables = builder.finish()
        if tables.isEmpty, let first = refusals.first.first {
            _ = try await store(
                [], refusals: refusals, form: form, arrival: arrival, principal: principal, tenant: tenant)
            throw ServiceError(
                .invalid, "ingest.refused", "No reading was stored: \(first.reason)",
                fields: refusals.first.prefix(20).map {
                    FieldFault(field: "readings", reason: $0.reason, line: $0.line)
                })
        }
        return try await store(
            tables, refusals: refusals, form: form, arrival: arrival, principal: principal, tenant: tenant)
    }

    /// The device that a reading names; an unknown one is discovered.
    func find(_ reference: String, sample: JSONValue, scope: AccessScope, tenant: TenantID) async throws
        -> Result<DeviceEntry, ServiceError>
    {
        do {
            let entry: DeviceEntry?
            if case .all = scope.visibility {
                entry = try await directory.findOrDiscover(reference, tenant: tenant, sample: sample)
            } else {
                entry = try await directory.find(reference, tenant: tenant)
            }
            guard let entry, scope.shows(entry.id) else { return .failure(.notFound("device")) }
            return .success(entry)
        } catch let error as ServiceError where error.kind != .unavailable {
            return .failure(error)
        }
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
        _ reading: IncomingReading, of entry: DeviceEntry, arrival: Timestamp, to builder: inout BatchBuilder
    ) throws(ServiceError) {
        let time = reading.time ?? arrival
        try check(entry, time: time, arrival: arrival)
        let normalised = try ReadingHandler(named: entry.handler).normalise(reading)
        var fields = normalised.fields
        var units: [String?] = fields.map { _ in normalised.unit }
        if let raw = reading.raw {
            let key = reading.readingType ?? reading.metric ?? ""
            let text = "{\"a\":\(arrival.microseconds),\"r\":\(raw)}"
            fields.append((key.isEmpty ? StoredReading.field : "\(StoredReading.field):\(key)", .object(text)))
            units.append(nil)
        }
        builder.add(
            fields, units: units, quality: reading.quality, time: time, labels: reading.labels, device: entry)
    }
}

/// How the object of a reading is kept beside its values.
enum StoredReading {
    /// The field of the object as sent: `__reading`, or `__reading:TYPE`.
    static let field = "__reading"
}
