import VigilModel

/// How a kind of device validates and normalises what it reports; what it watches by itself is in `HandlerRules`.
package enum ReadingHandler: String, Sendable, CaseIterable {
    case door = "door_contact"
    case window = "window_contact"
    case motion
    case glassBreak = "glass_break"
    case smoke
    case carbonMonoxide = "carbon_monoxide"
    case waterLeak = "water_leak"
    case temperature
    case camera
    case numeric
    /// Any JSON.
    case custom

    /// The handler of that name; `contact` is a door's, and what is unknown takes any JSON.
    package init(named name: String) {
        self = ReadingHandler(rawValue: name) ?? (name == "contact" ? .door : .custom)
    }

    /// A handler's name as somebody wrote it.
    ///
    /// - Throws: `invalid` with the names that there are: a device whose handler nobody knows would raise nothing.
    static func checked(_ name: String) throws(ServiceError) -> String {
        let names = allCases.map(\.rawValue) + ["contact"]
        guard names.contains(name) else {
            throw .invalid("handler", "must be one of \(names.sorted().joined(separator: ", "))")
        }
        return name
    }

    /// A reading's fields, ready to be stored.
    struct Normalised {
        var fields: [(name: String, value: ReadingValue)]
        var unit: String?
    }

    /// The metric that a bare value belongs to, when the reading names none.
    var defaultMetric: String {
        switch self {
        case .door, .window: "state"
        case .motion: "motion"
        case .glassBreak: "glass_break"
        case .smoke: "smoke"
        case .carbonMonoxide: "carbon_monoxide"
        case .waterLeak: "water_leak"
        case .temperature: "temperature"
        case .camera: "motion_detected"
        case .numeric, .custom: "value"
        }
    }

    /// Validates and normalises one reading.
    ///
    /// - Throws: `invalid` with the reason, for what such a device cannot report.
    func normalise(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        switch self {
        case .door, .window: try contact(reading)
        case .motion, .glassBreak, .smoke, .carbonMonoxide, .waterLeak: try detector(reading)
        case .camera: try camera(reading)
        case .temperature: try temperature(reading)
        case .numeric: try numeric(reading)
        case .custom: try anything(reading)
        }
    }

    private func contact(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        let state: String?
        switch reading.value {
        case .object(let members): state = members["state"]?.text
        case .string(let text): state = text
        case .bool(let isOpen): state = isOpen ? "open" : "closed"
        default: state = nil
        }
        guard let state, state == "open" || state == "closed" else {
            throw .invalid("value.state", "must be open or closed", code: "reading.contact")
        }
        var fields: [(String, ReadingValue)] = [("state", .text(state)), ("open", .boolean(state == "open"))]
        fields += try Self.others(reading.value, except: ["state", "timestamp"])
        return Normalised(fields: fields)
    }

    private func detector(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        let names = [defaultMetric, defaultMetric + "_detected", "detected"]
        var detected: Bool?
        switch reading.value {
        case .bool(let flag): detected = flag
        case .integer(let number) where number == 0 || number == 1: detected = number == 1
        case .object(let members): detected = names.lazy.compactMap { members[$0]?.boolean }.first
        default: break
        }
        guard let detected else {
            throw .invalid("value.\(defaultMetric)", "must be true or false", code: "reading.detector")
        }
        return Normalised(
            fields: [(defaultMetric, .boolean(detected))]
                + (try Self.others(reading.value, except: Set(names + ["timestamp"]))))
    }

    private func camera(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        if let flag = reading.value.boolean { return Normalised(fields: [("motion_detected", .boolean(flag))]) }
        let image = reading.value["image_url"]?.text
        let motion = reading.value["motion_detected"]?.boolean
        guard image != nil || motion != nil else {
            throw .invalid("value", "must have image_url or motion_detected", code: "reading.camera")
        }
        var fields: [(String, ReadingValue)] = [("motion_detected", .boolean(motion ?? false))]
        if let image { fields.append(("image_url", .text(image))) }
        fields += try Self.others(reading.value, except: ["image_url", "motion_detected", "timestamp"])
        return Normalised(fields: fields)
    }

    private func temperature(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        if reading.value.members != nil {
            guard let value = reading.value["temperature"]?.double else {
                throw .invalid("value.temperature", "must be a number", code: "reading.temperature")
            }
            let fields = try Self.others(reading.value, except: ["temperature", "unit", "timestamp"])
            return Normalised(
                fields: [("temperature", .float(value))] + fields, unit: reading.value["unit"]?.text ?? reading.unit)
        }
        guard let value = reading.value.double else {
            throw .invalid("value", "must be a number", code: "reading.temperature")
        }
        return Normalised(fields: [(reading.metric ?? "temperature", .float(value))], unit: reading.unit)
    }

    private func numeric(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        if let value = reading.value.double {
            return Normalised(fields: [(Self.name(of: reading, default: "value"), .float(value))], unit: reading.unit)
        }
        guard reading.value.members != nil else {
            throw .invalid("value", "must be a number", code: "reading.numeric")
        }
        let fields = try Self.others(reading.value, except: ["unit", "timestamp"])
        guard fields.contains(where: { $0.value.number != nil }) else {
            throw .invalid("value", "must have a number", code: "reading.numeric")
        }
        return Normalised(fields: fields, unit: reading.value["unit"]?.text ?? reading.unit)
    }

    private func anything(_ reading: IncomingReading) throws(ServiceError) -> Normalised {
        if reading.value.members != nil, reading.metric == nil {
            let fields = try Self.others(reading.value, except: ["timestamp"])
            guard !fields.isEmpty else { throw .invalid("value", "has no members", code: "reading.empty") }
            return Normalised(fields: fields, unit: reading.unit)
        }
        guard let value = Self.stored(reading.value) else {
            throw .invalid("value", "must not be null", code: "reading.null")
        }
        return Normalised(fields: [(Self.name(of: reading, default: "value"), value)], unit: reading.unit)
    }

    // MARK: - Pieces

    private static func name(of reading: IncomingReading, default name: String) -> String {
        reading.metric ?? reading.readingType ?? name
    }

    /// The members of an object as fields; nulls are absent.
    private static func others(_ value: JSONValue, except known: Set<String>) throws(ServiceError)
        -> [(name: String, value: ReadingValue)]
    {
        guard let members = value.members else { return [] }
        var fields: [(name: String, value: ReadingValue)] = []
        for (name, member) in members.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            guard let value = stored(member) else { continue }
            try checkName(name)
            fields.append((name, value))
        }
        return fields
    }

    /// A metric's name: 1 to 200 bytes, no reserved prefix, no control characters.
    static func checkName(_ name: String) throws(ServiceError) {
        guard (1...200).contains(name.utf8.count), !name.hasPrefix("__"), name.utf8.allSatisfy({ $0 >= 0x20 }) else {
            throw .invalid("metric", "must have 1 to 200 bytes and must not begin with __", code: "metric.name")
        }
    }

    /// JSON knows one kind of number; whole numbers that a Double holds exactly are stored as such.
    static func stored(_ value: JSONValue) -> ReadingValue? {
        switch value {
        case .null: nil
        case .bool(let flag): .boolean(flag)
        case .integer(let number): number.magnitude <= 1 << 53 ? .float(Double(number)) : .integer(number)
        case .number(let number): .float(number)
        case .string(let text): .text(text)
        case .array, .object: .object(value.canonicalText)
        }
    }
}
