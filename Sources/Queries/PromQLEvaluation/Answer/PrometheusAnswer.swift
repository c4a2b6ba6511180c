import VigilModel

/// Writes results as the JSON of the Prometheus HTTP interface.
///
/// Written by hand instead of through an encoder: a chart's answer is hundreds of thousands of numbers.
package enum PrometheusAnswer {
    /// The answer to `/api/v1/query` and `/api/v1/query_range`.
    package static func bytes(_ result: QueryResult) -> [UInt8] {
        var json = JSONWriter()
        json.raw("{\"status\":\"success\",\"data\":{\"resultType\":")
        switch result.value {
        case .scalar(let point):
            json.raw("\"scalar\",\"result\":")
            json.point(point)
        case .string(let time, let text):
            json.raw("\"string\",\"result\":[")
            json.seconds(time)
            json.raw(",")
            json.string(text)
            json.raw("]")
        case .vector(let items):
            json.raw("\"vector\",\"result\":")
            json.list(items) { json, item in
                json.raw("{\"metric\":")
                json.labels(item.labels)
                json.raw(",\"value\":")
                json.point(item.point)
                json.raw("}")
            }
        case .matrix(let series):
            json.raw("\"matrix\",\"result\":")
            json.list(series) { json, series in
                json.raw("{\"metric\":")
                json.labels(series.labels)
                json.raw(",\"values\":")
                json.list(series.points) { $0.point($1) }
                json.raw("}")
            }
        }
        json.raw("}")
        for (name, messages) in [("warnings", result.warnings), ("infos", result.infos)] where !messages.isEmpty {
            json.raw(",\"\(name)\":")
            json.list(messages) { $0.string($1) }
        }
        json.raw("}")
        return json.bytes
    }

    /// An answer whose data is a list of texts: label names and values.
    package static func bytes(_ texts: [String]) -> [UInt8] {
        success { $0.list(texts) { $0.string($1) } }
    }

    /// The answer to `/api/v1/series`.
    package static func bytes(_ series: [LabelSet]) -> [UInt8] {
        success { $0.list(series) { $0.labels($1) } }
    }

    /// The answer to `/api/v1/metadata`: nothing is known of a metric but its name.
    package static func metadata(_ metrics: [String]) -> [UInt8] {
        success { json in
            json.raw("{")
            for (index, metric) in metrics.enumerated() {
                if index > 0 { json.raw(",") }
                json.string(metric)
                json.raw(":[{\"type\":\"unknown\",\"help\":\"\",\"unit\":\"\"}]")
            }
            json.raw("}")
        }
    }

    /// An answer whose data is an object of texts.
    package static func bytes(_ members: [(name: String, value: String)]) -> [UInt8] {
        success { json in
            json.raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { json.raw(",") }
                json.string(member.name)
                json.raw(":")
                json.string(member.value)
            }
            json.raw("}")
        }
    }

    /// The answer to a query that has none.
    package static func bytes(_ error: QueryError) -> [UInt8] {
        var json = JSONWriter()
        json.raw("{\"status\":\"error\",\"errorType\":")
        json.string(error.kind.rawValue)
        json.raw(",\"error\":")
        json.string(error.message)
        json.raw("}")
        return json.bytes
    }

    private static func success(_ data: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.raw("{\"status\":\"success\",\"data\":")
        data(&json)
        json.raw("}")
        return json.bytes
    }
}

/// Appends JSON to bytes.
private struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { characters in
            // Nearly all texts hold nothing that must be written otherwise.
            if characters.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: characters)
            } else {
                characters.forEach { escape($0) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            raw("\\u00")
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: bytes.append(byte)
        }
    }

    mutating func list<Item>(_ items: [Item], _ write: (inout JSONWriter, Item) -> Void) {
        raw("[")
        for (index, item) in items.enumerated() {
            if index > 0 { raw(",") }
            write(&self, item)
        }
        raw("]")
    }

    mutating func labels(_ labels: LabelSet) {
        raw("{")
        for (index, pair) in labels.pairs.enumerated() {
            if index > 0 { raw(",") }
            string(pair.name)
            raw(":")
            string(pair.value)
        }
        raw("}")
    }

    mutating func point(_ point: QueryPoint) {
        bytes.append(UInt8(ascii: "["))
        seconds(point.time)
        raw(",\"")
        number(point.value)
        raw("\"]")
    }

    private mutating func number(_ value: Double) {
        guard value == value.rounded(), abs(value) < 1e15, value != 0 else { return raw(NumberText.of(value)) }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(UInt64(value.magnitude))
    }

    private mutating func digits(_ number: UInt64, atLeast count: Int = 1) {
        let start = bytes.count
        var (rest, written) = (number, 0)
        while rest > 0 || written < count {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
            written += 1
        }
        bytes[start...].reverse()
    }

    /// Seconds with up to six digits behind the point.
    mutating func seconds(_ time: Timestamp) {
        let magnitude = time.microseconds.magnitude
        if time.microseconds < 0 { raw("-") }
        digits(magnitude / 1_000_000)
        let rest = magnitude % 1_000_000
        guard rest != 0 else { return }
        bytes.append(UInt8(ascii: "."))
        digits(rest, atLeast: 6)
        while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
    }
}
