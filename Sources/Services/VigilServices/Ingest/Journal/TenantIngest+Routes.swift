import LineProtocol
import VigilModel
import VigilPorts

/// What is known of sources and fields, from one batch to the next.
extension TenantIngest {
    struct PartKey: Hashable {
        let source: ObjectIdentifier
        let shape: ObjectIdentifier
        let unit: String?
        let isNormalised: Bool
    }

    struct NamesKey: Hashable {
        let measurement: String
        let shape: ObjectIdentifier
    }

    struct FieldList: Hashable {
        let fields: [String]
        let kinds: [ReadingValue.Kind]
    }

    /// Sources, shapes and parts that are kept; past it everything is forgotten, and found again by content.
    static let routesMax = 500_000

    /// The parts of a batch, with everything looked up; what is new costs one transaction.
    func route(_ wanted: [WantedPart], sourcesAreKept: Bool) async throws -> [RoutedPart] {
        var shapes: [ObjectIdentifier: RowShape] = [:]
        var kept: [WantedPart] = []
        kept.reserveCapacity(wanted.count)
        for part in wanted {
            let shape = shapes[ObjectIdentifier(part.shape)] ?? keep(part.shape)
            shapes[ObjectIdentifier(part.shape)] = shape
            kept.append(
                WantedPart(
                    device: part.device, source: sourcesAreKept ? part.source : keep(part.source), shape: shape,
                    unit: part.unit, isNormalised: part.isNormalised))
        }
        var result = kept.map(remembered)
        let missing = result.indices.filter { result[$0] == nil }
        if !missing.isEmpty {
            let made = try await make(missing.map { kept[$0] })
            for (place, part) in zip(missing, made) { result[place] = part }
        }
        return result.compactMap { $0 }
    }

    private func remembered(_ wanted: WantedPart) -> RoutedPart? {
        let part = parts[Self.key(of: wanted)]
        return part?.device === wanted.device ? part : nil
    }

    private static func key(of wanted: WantedPart) -> PartKey {
        PartKey(
            source: ObjectIdentifier(wanted.source), shape: ObjectIdentifier(wanted.shape), unit: wanted.unit,
            isNormalised: wanted.isNormalised)
    }

    private func make(_ wanted: [WantedPart]) async throws -> [RoutedPart] {
        var names: [String: Owner] = [:]
        var named: Set<NamesKey> = []
        for part in wanted
        where named.insert(NamesKey(measurement: part.source.measurement, shape: ObjectIdentifier(part.shape))).inserted
        {
            for field in part.shape.fields where !field.hasPrefix("__") {
                names[part.source.metric(of: field)] = Owner(measurement: part.source.measurement, field: field)
            }
        }
        let taken = try await claim(names)
        let handled = wanted.map(handled)
        let units = try await settleUnits(of: handled.map(\.part))
        if parts.count + wanted.count > Self.routesMax { parts.removeAll(keepingCapacity: true) }
        return zip(wanted, handled).map { part, handled in
            let made = routed(handled.part, handled.checks, taken: taken, units: units)
            parts[Self.key(of: part)] = made
            return made
        }
    }

    /// The part as its device's handler has it stored, with what it demands.
    private func handled(_ wanted: WantedPart) -> (part: WantedPart, checks: [ColumnCheck]) {
        guard let handler = wanted.device?.handler, handler != .custom, !wanted.isNormalised else {
            return (wanted, [])
        }
        let checks = handler.checks(of: wanted.shape)
        guard !checks.isEmpty else { return (wanted, []) }
        let shape = keep(wanted.shape.stored(by: checks))
        return (
            WantedPart(
                device: wanted.device, source: wanted.source, shape: shape, unit: wanted.unit, isNormalised: false),
            checks
        )
    }

    private func settleUnits(of wanted: [WantedPart]) async throws -> [DeviceID: [String: String]] {
        var devices: Set<DeviceID> = []
        var reported: [DeviceID: [String: String]] = [:]
        for part in wanted {
            guard let device = part.device?.entry else { continue }
            devices.insert(device.id)
            guard part.unit != nil || !device.units.isEmpty else { continue }
            for field in part.shape.fields where !field.hasPrefix("__") {
                let metric = part.source.metric(of: field)
                guard let unit = part.unit ?? device.units[metric] ?? device.units[field] else { continue }
                reported[device.id, default: [:]][metric] = unit
            }
        }
        return try await settleUnits(of: devices, reported: reported)
    }

    private func routed(
        _ wanted: WantedPart, _ checks: [ColumnCheck], taken: Set<String>, units: [DeviceID: [String: String]]
    ) -> RoutedPart {
        let (source, shape) = (wanted.source, wanted.shape)
        let names = self.names(of: shape, source)
        let known = wanted.device.flatMap { units[$0.entry.id] } ?? [:]
        let unitsOfFields = known.isEmpty ? names.noUnits : names.metrics.map { known[$0] }
        let places =
            taken.isEmpty
            ? []
            : shape.fields.indices.filter { !shape.fields[$0].hasPrefix("__") && taken.contains(names.metrics[$0]) }
        let number = wanted.device.map { self.number(of: $0.entry.id) } ?? -1
        guard !places.isEmpty else {
            return RoutedPart(
                device: wanted.device, deviceNumber: number, source: source, shape: shape,
                names: names, units: unitsOfFields, checks: checks,
                isNormalised: wanted.isNormalised)
        }
        let rest = shape.fields.indices.filter { !places.contains($0) }
        let less = keep(RowShape(fields: rest.map { shape.fields[$0] }, kinds: rest.map { shape.kinds[$0] }))
        let reduced =
            rest.allSatisfy { shape.fields[$0].hasPrefix("__") }
            ? nil
            : RoutedPart(
                device: wanted.device, deviceNumber: number, source: source, shape: less,
                names: self.names(of: less, source),
                units: rest.map { unitsOfFields[$0] }, isNormalised: wanted.isNormalised)
        return RoutedPart(
            device: wanted.device, deviceNumber: number, source: source, shape: shape, names: names,
            units: unitsOfFields, taken: places, reduced: reduced, checks: checks, isNormalised: wanted.isNormalised)
    }

    private func names(of shape: RowShape, _ source: SeriesSource) -> MetricNames {
        let key = NamesKey(measurement: source.measurement, shape: ObjectIdentifier(shape))
        if let known = metricNames[key] { return known }
        if metricNames.count >= Self.routesMax { metricNames.removeAll(keepingCapacity: true) }
        let made = MetricNames(shape.fields.map(source.metric(of:)), of: shape)
        metricNames[key] = made
        return made
    }

    /// The place of a device among the traces.
    func number(of device: DeviceID) -> Int {
        if let known = deviceNumbers[device] { return known }
        deviceNumbers[device] = traces.count
        traces.append(Trace())
        return traces.count - 1
    }

    /// The one object of this content.
    func keep(_ source: SeriesSource) -> SeriesSource {
        if let known = sources[source] { return known }
        if sources.count >= Self.routesMax { sources.removeAll(keepingCapacity: true) }
        sources[source] = source
        return source
    }

    private func keep(_ shape: RowShape) -> RowShape {
        let list = FieldList(fields: shape.fields, kinds: shape.kinds)
        if let known = shapes[list] { return known }
        if shapes.count >= Self.routesMax { shapes.removeAll(keepingCapacity: true) }
        shapes[list] = shape
        return shape
    }

    // MARK: - Lines

    /// What the key of a line means together with the line's fields.
    struct LinePart {
        /// Keeps the object alive by whose identity this is found.
        let key: SeriesSource
        let part: RoutedPart
        /// The directory's edition, and the time up to which the device is believed.
        let edition: Int
        let until: Timestamp
    }

    /// The parts of rows of lines, when all of them are known; the way of nearly every request.
    func remembered(_ rows: ReadingRows, edition: Int, at now: Timestamp) -> [RoutedPart]? {
        // A request has few lists of fields, so each is found by the one before nearly always.
        var last: (raw: ObjectIdentifier, kept: ObjectIdentifier)?
        var kept: [ObjectIdentifier: ObjectIdentifier] = [:]
        var parts: [RoutedPart] = []
        parts.reserveCapacity(rows.parts.count)
        for part in rows.parts {
            let raw = ObjectIdentifier(part.shape)
            let shape: ObjectIdentifier
            if let last, last.raw == raw {
                shape = last.kept
            } else {
                shape = kept[raw] ?? ObjectIdentifier(keep(part.shape))
                kept[raw] = shape
                last = (raw, shape)
            }
            guard let place = lineParts.position(of: ObjectPair(ObjectIdentifier(part.source), shape)),
                lineParts[at: place].edition == edition, lineParts[at: place].until > now
            else { return nil }
            parts.append(lineParts[at: place].part)
        }
        return parts
    }

    /// Remembers what was found for rows of lines.
    func learn(_ rows: ReadingRows, _ parts: [RoutedPart], edition: Int, until: Timestamp) {
        if lineParts.count + parts.count > Self.routesMax { lineParts.removeAll() }
        for (row, part) in zip(rows.parts, parts) {
            lineParts.put(
                LinePart(key: row.source, part: part, edition: edition, until: until),
                for: ObjectPair(ObjectIdentifier(row.source), ObjectIdentifier(part.shape)))
        }
    }

    /// What is wanted of parts of lines, by what their keys mean; those whose key means nothing are left out.
    func wanted(_ parts: [ReadingRows.Part], _ meanings: [LineMeaning]) -> [WantedPart] {
        parts.compactMap { part in
            guard case .success(let meaning) = meanings[Int(part.group)] else { return nil }
            return WantedPart(
                device: meaning.device,
                source: source(of: part.source, device: meaning.device?.entry.id, labels: meaning.labels),
                shape: part.shape, unit: nil, isNormalised: false)
        }
    }

    /// The source that a key means, as the one object of its content.
    private func source(of key: SeriesSource, device: DeviceID?, labels: Labels) -> SeriesSource {
        let fresh = SeriesSource(device: device, measurement: key.measurement, labels: labels)
        let source = keep(fresh)
        let first = keyOfSource[ObjectIdentifier(source)] ?? ObjectIdentifier(key)
        if first != ObjectIdentifier(key) { hasAliases = true }
        if keyOfSource.count >= Self.routesMax { keyOfSource.removeAll(keepingCapacity: true) }
        keyOfSource[ObjectIdentifier(source)] = first
        return source
    }
}
