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
        let decoded = try await Self.decode(
            pieces, precision: unit, arrival: arrival, latest: arrival + settings.futureMax)
        var refusals = Refusals()
        for problem in decoded.problems {
            refusals.add(
                Refusal(
                    line: problem.line, code: "line", reason: "\(problem.reason.message) (column \(problem.column))"))
        }
        if decoded.refusedLineCount > decoded.problems.count, let last = decoded.problems.last {
            refusals.add(
                Refusal(line: last.line, code: "line", reason: "further lines"),
                times: decoded.refusedLineCount - decoded.problems.count)
        }
        var prepared: [PreparedTable] = []
        var known: [String: Result<DeviceEntry, ServiceError>] = [:]
        for table in decoded.batch.tables {
            do {
                prepared.append(
                    try await settle(table, arrival: arrival, known: &known, scope: scope, tenant: tenant))
            } catch let error as ServiceError where error.kind != .unavailable {
                refusals.add(Refusal(line: 0, error: error), times: table.times.count)
            }
        }
        let receipt = try await store(
            prepared, refusals: refusals, form: "line", arrival: arrival, principal: principal, tenant: tenant)
        let refused = decoded.refusedLineCount + refusals.count - min(refusals.count, decoded.refusedLineCount)
        return LineReceipt(
            goodLines: decoded.goodLineCount, refusedLines: refused, refusals: receipt.refusals, receipt: receipt)
    }

    private static func decode(
        _ pieces: any AsyncSequence<[UInt8], any Error> & Sendable, precision: LinePrecision, arrival: Timestamp,
        latest: Timestamp
    ) async throws -> DecodedLines {
        var decoder = LineDecoder(
            precision: precision, arrival: arrival, accepted: .distantPast...latest, cache: LineSourceCache()
        ) { (measurement: String, labels: Labels) throws(LineReason) in
            .once(SeriesSource(device: nil, measurement: measurement, labels: labels))
        }
        for try await piece in pieces { piece.withUnsafeBytes { decoder.feed($0) } }
        return decoder.finish()
    }

    /// Finds the device of a table, and takes the labels that name it away.
    private func settle(
        _ table: ReadingTable, arrival: Timestamp, known: inout [String: Result<DeviceEntry, ServiceError>],
        scope: AccessScope, tenant: TenantID
    ) async throws -> PreparedTable {
        let labels = table.source.labels
        var reference: String?
        var naming: Set<String> = []
        if let label = settings.deviceLabels.first(where: { labels[$0] != nil }) {
            reference = labels[label]
            naming = [label]
        } else if let site = labels["site_id"], let type = labels["sensor_type"] {
            reference = "\(site)_\(type)"
            naming = ["site_id", "sensor_type"]
        }
        guard let reference else {
            guard case .all = scope.visibility else { throw ServiceError.notFound("device") }
            return PreparedTable(device: nil, table: table, units: table.columns.map { _ in nil })
        }
        if known[reference] == nil {
            known[reference] = try await find(
                reference, sample: Self.sample(table), scope: scope, tenant: tenant)
        }
        guard let entry = try known[reference]?.get() else { throw ServiceError.notFound("device") }
        try check(entry, time: arrival, arrival: arrival)
        var settled = table
        settled.source = SeriesSource(
            device: entry.id, measurement: table.source.measurement, labels: labels.removing(naming))
        return PreparedTable(device: entry, table: settled, units: table.columns.map { _ in nil })
    }

    private static func sample(_ table: ReadingTable) -> JSONValue {
        var members: [String: JSONValue] = ["measurement": .string(table.source.measurement)]
        for column in table.columns.prefix(20) { members[column.field] = column[0]?.json }
        return .object(members)
    }
}
