import Foundation
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

    func text(of piece: SeriesSamples) -> String {
        let prefix = prefix(piece.identity)
        var text = ""
        for sample in piece.samples {
            switch form {
            case .csv:
                text += prefix + "\(sample.time),\(Self.quoted(Self.plain(sample.value))),\(sample.quality.rawValue)\n"
            case .jsonl:
                let value = JSONValue.object([
                    "time": .string(sample.time.description), "value": Self.json(sample.value),
                    "quality": .integer(Int64(sample.quality.rawValue)),
                ])
                text += prefix + value.canonicalText.dropFirst() + "\n"
            case .line:
                guard let value = Self.field(sample.value) else { continue }
                let (nanoseconds, overflow) = sample.time.microseconds.multipliedReportingOverflow(by: 1000)
                if overflow { continue }
                text += prefix + "\(value) \(nanoseconds)\n"
            }
        }
        return text
    }

    /// What all lines of a series begin with.
    private func prefix(_ identity: SeriesIdentity) -> String {
        var labels = identity.labels.dictionary
        switch form {
        case .csv:
            let text = JSONValue.object(labels.mapValues { .string($0) }).canonicalText
            return [identity.metric, identity.device?.description ?? "", labels.isEmpty ? "" : text].map(Self.quoted)
                .joined(separator: ",") + ","
        case .jsonl:
            var members: [String: JSONValue] = [
                "metric": .string(identity.metric), "labels": .object(labels.mapValues { .string($0) }),
            ]
            members["device"] = identity.device.map { .string($0.description) }
            return JSONValue.object(members).canonicalText.dropLast() + ","
        case .line:
            if let device = identity.device { labels["device"] = device.description }
            // `a_b` is the field b of the measurement a, so that it comes back under the same name.
            let cut = identity.metric.lastIndex(of: "_").flatMap { $0 == identity.metric.startIndex ? nil : $0 }
            let measurement = cut.map { String(identity.metric[..<$0]) } ?? identity.metric
            let field = cut.map { String(identity.metric[$0...].dropFirst()) } ?? "value"
            let tags = labels.sorted { $0.key < $1.key }.map { ",\(Self.escaped($0.key))=\(Self.escaped($0.value))" }
            return Self.escaped(measurement, also: "") + tags.joined() + " "
                + Self.escaped(field.isEmpty ? "value" : field) + "="
        }
    }

    private static func plain(_ value: ReadingValue) -> String {
        switch value {
        case .float(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .text(let text), .object(let text): text
        }
    }

    private static func json(_ value: ReadingValue) -> JSONValue {
        // JSON has no NaN and no infinities.
        if case .float(let number) = value { return number.isFinite ? .number(number) : .string("\(number)") }
        switch value {
        case .float: return .null
        case .integer(let number): return .integer(number)
        case .boolean(let flag): return .bool(flag)
        case .text(let text): return .string(text)
        case .object(let text): return (try? JSONValue(parsing: text)) ?? .string(text)
        }
    }

    /// A value as a field of the line protocol, which has no NaN and no objects.
    private static func field(_ value: ReadingValue) -> String? {
        switch value {
        case .float(let number): number.isFinite ? "\(number)" : nil
        case .integer(let number): "\(number)i"
        case .boolean(let flag): flag ? "true" : "false"
        case .text(let text), .object(let text):
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private static func escaped(_ text: String, also more: String = "=") -> String {
        text.reduce(into: "") { result, character in
            if character == "," || character == " " || more.contains(character) { result += "\\" }
            result.append(character.isNewline ? " " : character)
        }
    }
}

extension SeriesCareService {
    /// Readings as text, piece by piece: the next is read when the one before was taken.
    package func export(
        _ selection: SeriesSelection, as export: SeriesExport, in scope: AccessScope
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let reader = ExportReader(
            cursor: try await stores.series.samples(selection, in: scope), export: export)
        return AsyncThrowingStream { try await reader.next() }
    }
}

/// Reads a cursor for a stream.
private final class ExportReader: Sendable {
    // The one consumer of a stream takes one piece after the other, so neither is ever used twice at once.
    nonisolated(unsafe) private let cursor: any SampleCursor
    nonisolated(unsafe) private var hasHead = false
    private let export: SeriesExport

    init(cursor: any SampleCursor, export: SeriesExport) {
        self.cursor = cursor
        self.export = export
    }

    func next() async throws -> [UInt8]? {
        if !hasHead, !export.head.isEmpty {
            hasHead = true
            return Array(export.head.utf8)
        }
        while let piece = try await cursor.next() {
            let text = export.text(of: piece)
            if !text.isEmpty { return Array(text.utf8) }
        }
        return nil
    }
}
