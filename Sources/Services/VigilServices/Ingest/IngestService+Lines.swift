import LineProtocol
import VigilModel
import VigilPorts

/// What became of a request of line protocol.
package struct LineReceipt: Sendable {
    package var goodLines: Int
    package var refusedLines: Int
    /// The first refused lines.
    package var refusals: [Refusal]
    package var receipt: IngestReceipt
}

extension IngestService {
    /// Takes line protocol.
    ///
    /// - Parameters:
    ///   - precision: What the `precision` parameter says; `nil` for nanoseconds.
    /// - Throws: `invalid` for an unknown precision.
    package func receiveLines(
        _ pieces: any AsyncSequence<[UInt8], any Error> & Sendable, precision: String?, by principal: Principal
    ) async throws -> LineReceipt {
        let scope = try principal.requiredScope()
        let tenant = try AlertingService.tenant(of: scope)
        guard let unit = LinePrecision(precision) else {
            throw ServiceError.invalid("precision", "must be ns, us, ms, s, m or h", code: "request.precision")
        }
        let arrival = clock.now()
        let ingest = await tenants.ingest(of: tenant)
        var held = 0
        defer { bytesInFlight.give(held) }
        let decoded = try await decode(
            pieces, holding: &held, precision: unit, arrival: arrival, latest: arrival + settings.futureMax,
            keys: ingest.keys)
        var refusals = refusals(of: decoded, precision: precision)
        var (rows, lines) = (decoded.batch.rows, decoded.lines)
        let parts = try await parts(of: &rows, &lines, arrival: arrival, ingest, scope, tenant, refusals: &refusals)
        let prepared = PreparedRows(rows, parts, lines: lines, refusals: &refusals)
        refusals.sort()
        let receipt = try await store(
            prepared, refusals: refusals, form: "line", arrival: arrival, principal: principal, tenant: tenant)
        let refused = decoded.refusedLineCount + refusals.count - min(refusals.count, decoded.refusedLineCount)
        return LineReceipt(
            goodLines: decoded.goodLineCount, refusedLines: refused, refusals: receipt.refusals, receipt: receipt)
    }

    private func decode(
        _ pieces: any AsyncSequence<[UInt8], any Error> & Sendable, holding held: inout Int,
        precision: LinePrecision, arrival: Timestamp, latest: Timestamp, keys: LineSourceCache
    ) async throws -> DecodedLines {
        // The key's source has no device yet: what the key means is looked up once the lines have proved good.
        var decoder = LineDecoder(
            precision: precision, arrival: arrival, accepted: .distantPast...latest, cache: keys
        ) { (measurement: String, labels: Labels) throws(LineReason) in
            .keep(SeriesSource(device: nil, measurement: measurement, labels: labels))
        }
        for try await piece in pieces {
            try bytesInFlight.take(piece.count, holding: &held)
            piece.withUnsafeBytes { decoder.feed($0) }
        }
        return decoder.finish()
    }

    private func refusals(of decoded: DecodedLines, precision: String?) -> Refusals {
        var refusals = Refusals()
        for problem in decoded.problems {
            var reason = "\(problem.reason.message) (column \(problem.column))"
            if problem.reason == .timeRange {
                // Mostly it is not the clock, but the precision.
                let hours = Int(settings.futureMax.seconds / 3600)
                let unit = precision.flatMap { $0.isEmpty ? nil : $0 } ?? "ns"
                reason += ": it was taken as \(unit), and may be at most \(hours) h ahead, and not before the year 0"
            }
            refusals.add(Refusal(line: problem.line, code: "line", reason: reason))
        }
        if decoded.refusedLineCount > decoded.problems.count, let last = decoded.problems.last {
            refusals.add(
                Refusal(line: last.line, code: "line", reason: "further lines"),
                times: decoded.refusedLineCount - decoded.problems.count)
        }
        return refusals
    }

    // MARK: - Devices

    /// What a key means: its device, if it names one, and the labels that are left.
    private typealias Meanings = [Result<(device: KnownDevice?, labels: Labels), ServiceError>]

    /// What is known of the parts of `rows`, from which what is refused is taken away.
    private func parts(
        of rows: inout ReadingRows, _ lines: inout RowLines, arrival: Timestamp, _ ingest: TenantIngest,
        _ scope: AccessScope, _ tenant: TenantID, refusals: inout Refusals
    ) async throws -> [RoutedPart] {
        let edition = await directory.edition(of: tenant)
        var parts: [RoutedPart] = []
        if scope.isWhole, let known = await ingest.remembered(rows, edition: edition, at: arrival),
            !known.contains(where: \.isInactive)
        {
            parts = known
        } else {
            let meanings = try await meanings(of: rows, scope: scope, tenant: tenant)
            refuse(meanings, in: &rows, &lines, arrival: arrival, refusals: &refusals)
            var wanted: [WantedPart] = []
            for part in rows.parts {
                guard let meaning = try? meanings[Int(part.group)].get() else { continue }
                let source = await ingest.source(
                    of: part.source, device: meaning.device?.entry.id, labels: meaning.labels)
                wanted.append(
                    WantedPart(
                        device: meaning.device, source: source, shape: part.shape, unit: nil, isNormalised: false))
            }
            parts = try await ingest.route(wanted, sourcesAreKept: true)
            await ingest.learn(rows, parts, edition: edition, until: arrival + settings.routeLife)
        }
        if await ingest.hasAliases { Self.join(parts, in: &rows) }
        return parts
    }

    /// What the keys of the lines mean, one for each group.
    private func meanings(of rows: ReadingRows, scope: AccessScope, tenant: TenantID) async throws -> Meanings {
        let keys = Self.keys(of: rows)
        let found = try await devices(of: keys, rows, scope: scope, tenant: tenant)
        return zip(keys, found).map { key, device in
            device.map { device in
                let labels = key?.labels ?? .none
                return (device, labels.removing(settings.naming(in: labels).labels))
            }
        }
    }

    /// The devices that keys name; `nil` for those that name none.
    private func devices(
        of keys: [SeriesSource?], _ rows: ReadingRows, scope: AccessScope, tenant: TenantID
    ) async throws -> [Result<KnownDevice?, ServiceError>] {
        var newcomers: [DeviceDirectory.Newcomer] = []
        var numbers: [String: Int] = [:]
        var firstRows: [Int32: ReadingRows.Row] = [:]
        for row in rows.rows {
            let group = rows.parts[Int(row.part)].group
            if firstRows[group] == nil { firstRows[group] = row }
        }
        let names = keys.map { key in key.flatMap { settings.naming(in: $0.labels).reference } }
        for (place, name) in names.enumerated() {
            guard let name, numbers[name] == nil, let row = firstRows[Int32(place)] else { continue }
            numbers[name] = newcomers.count
            newcomers.append(DeviceDirectory.Newcomer(reference: name, sample: Self.sample(row, of: rows)))
        }
        let found = try await find(newcomers, scope: scope, tenant: tenant)
        return names.map { name in
            guard let name else { return scope.isWhole ? .success(nil) : .failure(.notFound("device")) }
            return numbers[name].map { found[$0].map { $0 } } ?? .failure(.notFound("device"))
        }
    }

    /// The key of each group.
    private static func keys(of rows: ReadingRows) -> [SeriesSource?] {
        var keys = [SeriesSource?](repeating: nil, count: rows.groupCount)
        for part in rows.parts { keys[Int(part.group)] = part.source }
        return keys
    }

    /// Takes the rows away whose device is unknown or switched off.
    private func refuse(
        _ meanings: Meanings, in rows: inout ReadingRows, _ lines: inout RowLines, arrival: Timestamp,
        refusals: inout Refusals
    ) {
        var errors: [Int32: ServiceError] = [:]
        for part in rows.parts {
            do throws(ServiceError) {
                if let device = try meanings[Int(part.group)].get().device {
                    try check(device.entry, time: arrival, arrival: arrival)
                }
            } catch {
                errors[part.group] = error
            }
        }
        guard !errors.isEmpty else { return }
        let faults = rows.parts.map { errors[$0.group] }
        for (number, row) in rows.rows.enumerated() {
            guard let fault = faults[Int(row.part)] else { continue }
            refusals.add(Refusal(line: lines.line(of: number), error: fault))
        }
        lines = lines.keeping(of: rows.rows.count) { faults[Int(rows.rows[$0].part)] == nil }
        rows.rows.removeAll { faults[Int($0.part)] != nil }
        // What is refused leaves no trace: its metrics are nobody's names.
        let kept = rows.parts.indices.filter { errors[rows.parts[$0].group] == nil }
        var numbers = [Int32](repeating: -1, count: rows.parts.count)
        for (number, place) in kept.enumerated() { numbers[place] = Int32(number) }
        for place in rows.rows.indices { rows.rows[place].part = numbers[Int(rows.rows[place].part)] }
        rows.parts = kept.map { rows.parts[$0] }
    }

    /// Makes one group of keys that mean the same source, so that their rows stay in order.
    private static func join(_ parts: [RoutedPart], in rows: inout ReadingRows) {
        var groups: [ObjectIdentifier: Int32] = [:]
        for (place, part) in parts.enumerated() {
            let first = groups[ObjectIdentifier(part.source)] ?? rows.parts[place].group
            groups[ObjectIdentifier(part.source)] = first
            rows.parts[place].group = first
        }
    }

    private static func sample(_ row: ReadingRows.Row, of rows: ReadingRows) -> JSONValue {
        let part = rows.parts[Int(row.part)]
        var members: [String: JSONValue] = ["measurement": .string(part.source.measurement)]
        for (place, field) in part.shape.fields.prefix(20).enumerated() {
            members[field] = rows.value(part.shape.kinds[place], at: Int(row.firstWord) + place).json
        }
        return .object(members)
    }
}

extension IngestSettings {
    /// What the labels of a line call the device, and which labels say so.
    func naming(in labels: Labels) -> (reference: String?, labels: Set<String>) {
        if let label = deviceLabels.first(where: { labels[$0] != nil }) { return (labels[label], [label]) }
        if let site = labels["site_id"], let type = labels["sensor_type"] {
            return ("\(site)_\(type)", ["site_id", "sensor_type"])
        }
        return (nil, [])
    }
}

extension AccessScope {
    /// Whether it shows everything of its tenant.
    var isWhole: Bool { if case .all = visibility { true } else { false } }
}
