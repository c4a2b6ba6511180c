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

/// What a key of lines means: its device, if it names one, and the labels that are left.
typealias LineMeaning = Result<(device: KnownDevice?, labels: Labels), ServiceError>

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
            let wanted = await ingest.wanted(rows.parts, meanings)
            parts = try await ingest.route(wanted, sourcesAreKept: true)
            await ingest.learn(rows, parts, edition: edition, until: arrival + settings.routeLife)
        }
        if await ingest.hasAliases { Self.join(parts, in: &rows) }
        return parts
    }

    /// What the keys of the lines mean, one for each group.
    private func meanings(of rows: ReadingRows, scope: AccessScope, tenant: TenantID) async throws -> [LineMeaning] {
        let named = Self.keys(of: rows).map { settings.naming(in: $0?.labels ?? .none) }
        let found = try await devices(of: named.map(\.reference), rows, scope: scope, tenant: tenant)
        return zip(named, found).map { named, device in device.map { (device: $0, labels: named.rest) } }
    }

    /// The devices that keys name; `nil` for those that name none.
    private func devices(
        of names: [String?], _ rows: ReadingRows, scope: AccessScope, tenant: TenantID
    ) async throws -> [Result<KnownDevice?, ServiceError>] {
        var firstRows = [Int](repeating: -1, count: names.count)
        for (number, row) in rows.rows.enumerated() {
            let group = Int(rows.parts[Int(row.part)].group)
            if firstRows[group] < 0 { firstRows[group] = number }
        }
        var references: [String] = []
        var samples: [Int] = []
        var numbers: [String: Int] = [:]
        for (name, row) in zip(names, firstRows) where row >= 0 {
            guard let name, numbers[name] == nil else { continue }
            numbers[name] = references.count
            references.append(name)
            samples.append(row)
        }
        let found = try await find(references, scope: scope, tenant: tenant) {
            Self.sample(rows.rows[samples[$0]], of: rows)
        }
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
        _ meanings: [LineMeaning], in rows: inout ReadingRows, _ lines: inout RowLines, arrival: Timestamp,
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
    /// What the labels of a line call the device, and the labels that do not say so.
    func naming(in labels: Labels) -> (reference: String?, rest: Labels) {
        for label in deviceLabels {
            if let reference = labels[label] { return (reference, labels.removing(label)) }
        }
        if let site = labels["site_id"], let type = labels["sensor_type"] {
            return ("\(site)_\(type)", labels.removing(["site_id", "sensor_type"]))
        }
        return (nil, labels)
    }
}

extension AccessScope {
    /// Whether it shows everything of its tenant.
    var isWhole: Bool { if case .all = visibility { true } else { false } }
}
