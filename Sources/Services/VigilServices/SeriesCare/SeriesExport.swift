package import VigilModel
package import VigilPorts

/// Writes readings out as text, piece by piece.
package struct SeriesExport: Sendable {
    package enum Form: String, Sendable, CaseIterable {
        /// A header, then `metric,device,labels,time,value,quality`.
        case csv
        /// One JSON object a line.
        case jsonl
        /// The line protocol of InfluxDB, nanoseconds.
        case line
    }

    let form: Form
    /// What lines of a metric are made of, where it is known: only so does it come back under its name.
    var names: [String: (measurement: String, field: String)] = [:]
    /// What the form could not say.
    var leftOut = LeftOut()

    package init(_ form: Form) {
        self.form = form
    }

    package var mediaType: String {
        switch form {
        case .csv: "text/csv; charset=utf-8"
        case .jsonl: "application/x-ndjson"
        case .line: "text/plain; charset=utf-8"
        }
    }

    var head: String { form == .csv ? "metric,device,labels,time,value,quality\n" : "" }

    /// What is said at the end: in line protocol a comment, when something was left out.
    var tail: String {
        guard form == .line, let text = leftOut.text else { return "" }
        return "# left out: \(text)\n"
    }

    mutating func text(of piece: SeriesSamples) -> String {
        switch form {
        case .csv: Self.rows(of: piece)
        case .jsonl: Self.objects(of: piece)
        case .line: lines(of: piece)
        }
    }

    // MARK: - CSV

    private static func rows(of piece: SeriesSamples) -> String {
        let identity = piece.identity
        let labels = JSONValue.object(identity.labels.dictionary.mapValues { .string($0) }).canonicalText
        let fields = [identity.metric, identity.device?.description ?? "", identity.labels.isEmpty ? "" : labels]
        let prefix = fields.map(quoted).joined(separator: ",") + ","
        var text = ""
        for sample in piece.samples {
            text += prefix + "\(sample.time),\(quoted(plain(sample.value))),\(sample.quality.rawValue)\n"
        }
        return text
    }

    private static func plain(_ value: ReadingValue) -> String {
        switch value {
        case .float(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .text(let text), .object(let text): text
        }
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 44 || $0 == 34 || $0 == 10 || $0 == 13 }) else { return text }
        return "\"" + text.escaping(["\""], with: "\"") + "\""
    }

    // MARK: - JSON lines

    private static func objects(of piece: SeriesSamples) -> String {
        let identity = piece.identity
        var members: [String: JSONValue] = [
            "metric": .string(identity.metric),
            "labels": .object(identity.labels.dictionary.mapValues { .string($0) }),
        ]
        members["device"] = identity.device.map { .string($0.description) }
        let prefix = JSONValue.object(members).canonicalText.dropLast() + ","
        var text = ""
        for sample in piece.samples {
            let (value, nonFinite) = json(sample.value)
            text += prefix
            if let nonFinite { text += "\"nonFinite\":\"\(nonFinite)\"," }
            text += "\"quality\":\(sample.quality.rawValue),\"time\":\"\(sample.time)\",\"value\":\(value)}\n"
        }
        return text
    }

    /// A value, and the name of a number that JSON does not have.
    ///
    /// A float has a point or an exponent, an integer has neither.
    private static func json(_ value: ReadingValue) -> (String, nonFinite: String?) {
        switch value {
        case .float(let number):
            if number.isFinite { return ("\(number)", nil) }
            return ("null", number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf")
        case .integer(let number): return ("\(number)", nil)
        case .boolean(let flag): return ("\(flag)", nil)
        case .text(let text): return (JSONValue.string(text).canonicalText, nil)
        case .object(let text):
            return ((try? JSONValue(parsing: text))?.canonicalText ?? JSONValue.string(text).canonicalText, nil)
        }
    }
}

extension SeriesCareService {
    /// Readings as text, piece by piece: the next is read when the one before was taken.
    ///
    /// Vigil's own series are not among them, whatever the matchers say.
    package func export(
        _ selection: SeriesSelection, as export: SeriesExport, in scope: AccessScope
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        var export = export
        if export.form == .line { export.names = try await metricNames(in: scope) }
        let reader = ExportReader(
            cursor: try await stores.series.samples(selection.ofPeople, in: scope), export: export)
        return AsyncThrowingStream { try await reader.next() }
    }

    private func metricNames(in scope: AccessScope) async throws -> [String: (measurement: String, field: String)] {
        let tenant = try scope.requiredTenant()
        return try await stores.relational.read(in: scope) { transaction in
            var names: [String: (measurement: String, field: String)] = [:]
            try transaction.forEachRow(
                "SELECT metric, measurement, field FROM metric_names WHERE tenant_id = \(tenant)"
            ) { row in
                names[try row.get("metric")] = (try row.get("measurement"), try row.get("field"))
                return true
            }
            return names
        }
    }
}

/// Reads a cursor for a stream.
private final class ExportReader: Sendable {
    // The one consumer of a stream takes one piece after the other, so none of these is ever used twice at once.
    nonisolated(unsafe) private let cursor: any SampleCursor
    nonisolated(unsafe) private var export: SeriesExport
    nonisolated(unsafe) private var hasHead = false
    nonisolated(unsafe) private var isEnded = false

    init(cursor: any SampleCursor, export: SeriesExport) {
        self.cursor = cursor
        self.export = export
    }

    func next() async throws -> [UInt8]? {
        if isEnded { return nil }
        if !hasHead, !export.head.isEmpty {
            hasHead = true
            return Array(export.head.utf8)
        }
        while let piece = try await cursor.next() {
            let text = export.text(of: piece)
            if !text.isEmpty { return Array(text.utf8) }
        }
        isEnded = true
        return export.tail.isEmpty ? nil : Array(export.tail.utf8)
    }
}
