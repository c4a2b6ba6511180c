import VigilModel
import VigilPorts

extension UnknownField {
    init(row: SQLRow) throws {
        let samples: JSONValue = try row.get("samples")
        let devices: JSONValue = try row.get("devices")
        let kinds: JSONValue = try row.get("kinds")
        self.init(
            id: try row.get("id"), name: try row.get("name"), firstSeen: try row.get("first_seen"),
            lastSeen: try row.get("last_seen"), occurrences: try row.get("occurrences"), kind: try row.get("kind"),
            kinds: Self.kinds(kinds, newest: try row.get("kind")), unit: try row.optional("unit"),
            samples: samples.elements ?? [],
            devices: (devices.elements ?? []).compactMap(\.text),
            state: State(rawValue: try row.get("state")) ?? .new, version: try row.get("version"))
    }

    /// A field that is seen for the first time.
    init(_ name: String, _ sighting: FieldSightings.Sighting, at now: Timestamp) {
        self.init(
            id: EntryID(at: now), name: name, firstSeen: sighting.first, lastSeen: sighting.last,
            occurrences: sighting.count, kind: "\(sighting.kind)",
            kinds: Self.names(of: sighting.kinds), unit: sighting.unit ?? Self.unit(suggestedBy: name),
            samples: sighting.samples, devices: sighting.devices.map(\.description), state: .new, version: 1)
    }

    /// The field with what was seen of it since.
    func adding(_ sighting: FieldSightings.Sighting) -> UnknownField {
        var field = self
        field.lastSeen = max(lastSeen, sighting.last)
        field.occurrences += sighting.count
        field.kind = "\(sighting.kind)"
        let fresh = Self.names(of: sighting.kinds).filter { !kinds.contains($0) }
        field.kinds = (kinds + fresh).sorted()
        field.unit = unit ?? sighting.unit
        for sample in sighting.samples
        where field.samples.count < FieldSightings.samplesMax && !field.samples.contains(sample) {
            field.samples.append(sample)
        }
        for device in sighting.devices.map(\.description)
        where field.devices.count < FieldSightings.devicesMax && !field.devices.contains(device) {
            field.devices.append(device)
        }
        return field
    }

    /// A field that was last seen before its kinds were kept has had the one that is known.
    private static func kinds(_ kept: JSONValue, newest: String) -> [String] {
        let kinds = (kept.elements ?? []).compactMap(\.text)
        return kinds.isEmpty ? [newest] : kinds
    }

    private static func names(of kinds: Set<ReadingValue.Kind>) -> [String] { kinds.map { "\($0)" }.sorted() }

    func insert(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO unknown_fields (id, tenant_id, name, first_seen, last_seen, occurrences, kind, kinds, unit,
                samples, devices, state, version)
            VALUES (\(id), \(tenant), \(name), \(firstSeen), \(lastSeen), \(occurrences), \(kind),
                \(JSONValue.array(kinds.map { .string($0) })), \(unit),
                \(JSONValue.array(samples)), \(JSONValue.array(devices.map { .string($0) })), \(state.rawValue),
                \(version))
            """)
    }

    func update(tenant: TenantID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE unknown_fields SET last_seen = \(lastSeen), occurrences = \(occurrences), kind = \(kind),
                kinds = \(JSONValue.array(kinds.map { .string($0) })), unit = \(unit), samples = \(JSONValue.array(samples)),
                devices = \(JSONValue.array(devices.map { .string($0) })), state = \(state.rawValue),
                version = \(version)
            WHERE tenant_id = \(tenant) AND id = \(id)
            """)
    }

    /// The field as a caller may see it: only with devices that the caller sees; `nil` when there are none of those.
    func shown(in scope: AccessScope) -> UnknownField? {
        if case .all = scope.visibility { return self }
        var field = self
        field.devices = devices.filter { DeviceID($0).map(scope.shows) ?? false }
        return field.devices.isEmpty ? nil : field
    }

    func message(_ action: String, tenant: TenantID, at now: Timestamp) -> OutboxMessage {
        OutboxMessage(
            tenant: tenant, type: "field.\(action)", aggregate: "field", aggregateID: id.description,
            data: .object([
                "id": .string(id.description), "name": .string(name), "kind": .string(kind),
                "unit": unit.map { .string($0) } ?? .null,
            ]), time: now)
    }

    /// What a name lets one think of: the endings and words that the reference systems' devices use.
    static func unit(suggestedBy name: String) -> String? {
        let words = Set(name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        let table: [(Set<String>, String)] = [
            (["celsius", "degc", "temp", "temperature"], "degC"), (["fahrenheit", "degf"], "degF"),
            (["kelvin"], "K"), (["bar"], "bar"), (["psi"], "psi"), (["kpa"], "kPa"), (["pressure"], "bar"),
            (["humidity", "percent", "efficiency", "soc"], "%"), (["voltage", "volt", "volts"], "V"),
            (["current", "amps", "ampere"], "A"), (["kw"], "kW"), (["power", "watts"], "W"), (["kwh"], "kWh"),
            (["frequency", "hz"], "Hz"), (["rpm"], "rpm"), (["ppm"], "ppm"),
        ]
        return table.first { !$0.0.isDisjoint(with: words) }.flatMap { Unit($0.1)?.name }
    }
}
