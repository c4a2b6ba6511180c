import VigilModel

/// Decodes JSON readings: one object, a list, or `{"readings": […]}`.
///
/// Members: `value`, or any of `metric`, `reading_type`, `unit`, `time` (or `timestamp`), `device`, `labels`, `quality`. An
/// object without `value` is itself the value: `{"temperature": 21.5}`.
struct ReadingDecoder {
    var readings: [IncomingReading] = []
    var refusals = Refusals()
    let settings: IngestSettings
    private static let envelope: Set<String> = [
        "metric", "reading_type", "readingType", "type", "unit", "time", "timestamp", "labels", "quality", "device",
    ]

    init(settings: IngestSettings) {
        self.settings = settings
    }

    /// - Throws: `invalid` when the body is no JSON of this form, or has too many readings.
    mutating func decode(_ body: [UInt8]) throws(ServiceError) {
        let fault: JSONReader.Fault? = body.withUnsafeBufferPointer { bytes in
            var reader = JSONReader(bytes)
            do throws(JSONReader.Fault) {
                try top(&reader)
                reader.skipBlanks()
                return reader.position == bytes.count ? nil : .init("something follows the end", at: reader.position)
            } catch {
                return error
            }
        }
        if let fault {
            throw ServiceError(
                .invalid, "request.json", "The body is not JSON readings: \(fault.reason), at byte \(fault.position).")
        }
        guard readings.count + refusals.count <= settings.readingsMax else {
            throw ServiceError(
                .tooLarge, "ingest.readings", "More than \(settings.readingsMax) readings in one request.")
        }
    }

    private mutating func top(_ reader: inout JSONReader) throws(JSONReader.Fault) {
        if try reader.peek() == UInt8(ascii: "[") {
            try list(&reader)
            return
        }
        // An object may hold the list.
        let start = reader.position
        var probe = reader
        var place: Int?
        try probe.object { (reader: inout JSONReader, name: String) throws(JSONReader.Fault) in
            if name == "readings", try reader.peek() == UInt8(ascii: "[") { place = reader.position }
            _ = try reader.value()
        }
        if let place {
            reader.position = place
            try list(&reader)
            reader.position = probe.position
        } else {
            reader.position = start
            try one(&reader)
        }
    }

    private mutating func list(_ reader: inout JSONReader) throws(JSONReader.Fault) {
        try reader.expect(UInt8(ascii: "["), "a list is expected")
        if try reader.take(UInt8(ascii: "]")) { return }
        while true {
            try one(&reader)
            if try reader.take(UInt8(ascii: "]")) { return }
            try reader.expect(UInt8(ascii: ","), "a comma or the end of the list is expected")
        }
    }

    private mutating func one(_ reader: inout JSONReader) throws(JSONReader.Fault) {
        let line = readings.count + refusals.count + 1
        _ = try reader.peek()
        let start = reader.position
        let value = try reader.value()
        guard let members = value.members else {
            refusals.add(Refusal(line: line, code: "reading.form", reason: "A reading must be an object."))
            return
        }
        let length = reader.position - start
        guard length <= settings.readingBytesMax else {
            refusals.add(
                Refusal(line: line, code: "reading.too_large", reason: "The reading is larger than the limit."))
            return
        }
        do throws(ServiceError) {
            var reading = try Self.reading(members, line: line, settings: settings)
            reading.raw = String(decoding: reader.bytes[start..<reader.position], as: UTF8.self)
            readings.append(reading)
        } catch {
            refusals.add(Refusal(line: line, error: error))
        }
    }

    static func reading(_ members: [String: JSONValue], line: Int, settings: IngestSettings) throws(ServiceError)
        -> IncomingReading
    {
        let value = members["value"] ?? .object(members.filter { !envelope.contains($0.key) })
        var reading = IncomingReading(line: line, value: value)
        for name in settings.deviceLabels {
            if let text = members[name]?.text { reading.reference = text; break }
        }
        if let metric = members["metric"] {
            guard let text = metric.text else { throw .invalid("metric", "must be a text", code: "metric.name") }
            try ReadingHandler.checkName(text)
            reading.metric = text
        }
        if let type = members["reading_type"]?.text ?? members["readingType"]?.text ?? members["type"]?.text {
            try ReadingHandler.checkName(type)
            reading.readingType = type
        }
        reading.unit = members["unit"]?.text
        let field = members["time"] == nil ? "timestamp" : "time"
        reading.time = try ReadingTime.time(of: members[field], as: field)
        if let quality = members["quality"]?.double, (0...100).contains(quality) { reading.quality = UInt8(quality) }
        if let labels = members["labels"]?.members {
            reading.labels = try ReadingLabels.checked(labels)
        }
        return reading
    }
}

/// The labels that a sender may give.
enum ReadingLabels {
    static func checked(_ labels: [String: JSONValue]) throws(ServiceError) -> Labels {
        var pairs: [(String, String)] = []
        for (name, value) in labels {
            guard name != "tenant", !name.hasPrefix("__") else {
                throw .invalid("labels", "must not name tenant, or begin with __", code: "label.reserved")
            }
            guard let text = value.text, text.utf8.count <= 1024, (1...128).contains(name.utf8.count) else {
                throw .invalid("labels", "must be texts of at most 1024 bytes", code: "label.value")
            }
            pairs.append((name, text))
        }
        guard pairs.count <= 32 else { throw .invalid("labels", "must be at most 32", code: "label.count") }
        return Labels(pairs)
    }
}

/// The times that senders write.
enum ReadingTime {
    /// RFC 3339, or a number since 1970: seconds, milliseconds, microseconds or nanoseconds by its size.
    /// - Parameter field: What the sender calls it.
    static func time(of value: JSONValue?, as field: String = "time") throws(ServiceError) -> Timestamp? {
        switch value {
        case nil, .null: return nil
        case .string(let text):
            guard let time = Timestamp(text) else {
                throw .invalid(field, "is not an RFC 3339 time", code: "time.format")
            }
            return time
        case .integer(let number): return Self.time(of: number)
        case .number(let number):
            if number.magnitude < 1e11 { return Timestamp(microseconds: Int64((number * 1_000_000).rounded(.down))) }
            guard let whole = Int64(exactly: number.rounded(.towardZero)) else {
                throw .invalid(field, "is out of range", code: "time.range")
            }
            return Self.time(of: whole)
        default: throw .invalid(field, "must be an RFC 3339 time or a number", code: "time.format")
        }
    }

    private static func time(of number: Int64) -> Timestamp {
        switch number.magnitude {
        case ..<100_000_000_000: Timestamp(seconds: number)
        case ..<100_000_000_000_000: Timestamp(milliseconds: number)
        case ..<100_000_000_000_000_000: Timestamp(microseconds: number)
        default: Timestamp(nanoseconds: number)
        }
    }
}
