import LineProtocol
import VigilModel
import VigilPorts

/// What is known of sources and fields, from one batch to the next.
extension TenantIngest {
    struct PartKey: Hashable {
        let source: ObjectIdentifier
        let shape: ObjectIdentifier
        let unit: String?
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
                    unit: part.unit))
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
        PartKey(source: ObjectIdentifier(wanted.source), shape: ObjectIdentifier(wanted.shape), unit: wanted.unit)
    }

    private func make(_ wanted: [WantedPart]) async throws -> [RoutedPart] {
        var names: [String: Owner] = [:]
        for part in wanted {
            for field in part.shape.fields where !field.hasPrefix("__") {
                names[part.source.metric(of: field)] = Owner(measurement: part.source.measurement, field: field)
            }
        }
        let taken = try await claim(names)
        let units = try await settleUnits(of: wanted)
        if parts.count + wanted.count > Self.routesMax { parts.removeAll(keepingCapacity: true) }
        return wanted.map { part in
            let made = routed(part, taken: taken, units: units)
            parts[Self.key(of: part)] = made
            return made
        }
    }

    private func settleUnits(of wanted: [WantedPart]) async throws -> [DeviceMetric: String?] {
        var reported: [DeviceMetric: (unit: String?, kind: ReadingValue.Kind)] = [:]
        for part in wanted {
            guard let device = part.device?.entry else { continue }
            for (field, kind) in zip(part.shape.fields, part.shape.kinds) where !field.hasPrefix("__") {
                let metric = part.source.metric(of: field)
                let unit = part.unit ?? device.units[metric] ?? device.units[field]
                let key = DeviceMetric(device: device.id, metric: metric)
                reported[key] = (unit ?? reported[key]?.unit ?? nil, kind)
            }
        }
        return try await settleUnits(reported)
    }

    private func routed(_ wanted: WantedPart, taken: Set<String>, units: [DeviceMetric: String?]) -> RoutedPart {
        let (source, shape) = (wanted.source, wanted.shape)
        let unitsOfFields = shape.fields.map { field -> String? in
            guard let device = wanted.device?.entry, !field.hasPrefix("__") else { return nil }
            return units[DeviceMetric(device: device.id, metric: source.metric(of: field))] ?? nil
        }
        let places = shape.fields.indices.filter {
            !shape.fields[$0].hasPrefix("__") && taken.contains(source.metric(of: shape.fields[$0]))
        }
        guard !places.isEmpty else {
            return RoutedPart(device: wanted.device, source: source, shape: shape, units: unitsOfFields)
        }
        let rest = shape.fields.indices.filter { !places.contains($0) }
        let reduced =
            rest.allSatisfy { shape.fields[$0].hasPrefix("__") }
            ? nil
            : RoutedPart(
                device: wanted.device, source: source,
                shape: keep(RowShape(fields: rest.map { shape.fields[$0] }, kinds: rest.map { shape.kinds[$0] })),
                units: rest.map { unitsOfFields[$0] })
        return RoutedPart(
            device: wanted.device, source: source, shape: shape, units: unitsOfFields, taken: places, reduced: reduced)
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

    /// What the key of a line means.
    struct LineRoute: Sendable {
        /// Keeps the object alive by whose identity the route is found.
        let key: SeriesSource
        let device: KnownDevice?
        let source: SeriesSource
        /// The directory's edition and time up to which the device is believed.
        var edition: Int
        var until: Timestamp
    }

    /// What keys are known to mean.
    func lineRoutes(of keys: [SeriesSource?], edition: Int, at now: Timestamp) -> [LineRoute?] {
        keys.map { key in
            guard let key, let route = lineRoutes[ObjectIdentifier(key)], route.edition == edition, route.until > now
            else { return nil }
            return route
        }
    }

    /// Remembers what keys mean.
    func learn(
        _ found: [(key: SeriesSource, device: KnownDevice?, labels: Labels)], edition: Int, until: Timestamp
    ) -> [LineRoute] {
        if lineRoutes.count + found.count > Self.routesMax { lineRoutes.removeAll(keepingCapacity: true) }
        return found.map { key, device, labels in
            let fresh = SeriesSource(device: device?.entry.id, measurement: key.measurement, labels: labels)
            let source = keep(fresh)
            if source !== fresh, lineRoutes[ObjectIdentifier(key)] == nil { hasAliases = true }
            let route = LineRoute(key: key, device: device, source: source, edition: edition, until: until)
            lineRoutes[ObjectIdentifier(key)] = route
            return route
        }
    }
}
