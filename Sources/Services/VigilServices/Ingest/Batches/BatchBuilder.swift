import VigilModel

/// Gathers single readings into rows: one part for each device, label set and set of fields.
struct BatchBuilder {
    private struct Group: Hashable {
        let device: DeviceID
        let labels: Labels
    }

    private struct Fields: Hashable {
        let names: [String]
        let kinds: [ReadingValue.Kind]
    }

    private struct PartKey: Hashable {
        let group: Int32
        let shape: Int
        let unit: String?
    }

    private(set) var rows = ReadingRows()
    /// What each part is, in the order of the parts.
    private(set) var wanted: [WantedPart] = []
    private var groups: [Group: Int32] = [:]
    private var sources: [SeriesSource] = []
    private var shapes: [Fields: Int] = [:]
    private var made: [RowShape] = []
    private var parts: [PartKey: Int32] = [:]
    /// Where each row stands in what was sent.
    private(set) var lines = RowLines()
    /// Whether the rows have been through their devices' handlers.
    private let isNormalised: Bool

    init(isNormalised: Bool) {
        self.isNormalised = isNormalised
    }

    /// Adds a row that stands on `line` of what was sent.
    mutating func add(
        _ fields: [(name: String, value: ReadingValue)], unit: String?, quality: UInt8?, time: Timestamp,
        labels: Labels, device: KnownDevice, line: Int
    ) {
        let part = part(fields, unit: unit, labels: labels, device: device)
        lines.note(line, of: rows.rows.count)
        rows.rows.append(
            ReadingRows.Row(part: part, firstWord: Int32(rows.words.count), time: time.microseconds))
        if quality != nil, rows.qualities == nil {
            rows.qualities = Array(repeating: Quality.good.rawValue, count: rows.words.count)
        }
        for field in fields {
            rows.append(field.value)
            rows.qualities?.append(quality ?? Quality.good.rawValue)
        }
    }

    private mutating func part(
        _ fields: [(name: String, value: ReadingValue)], unit: String?, labels: Labels, device: KnownDevice
    ) -> Int32 {
        let group = group(device: device, labels: labels)
        let shape = shape(fields)
        let key = PartKey(group: group, shape: shape, unit: unit)
        if let known = parts[key] { return known }
        let number = Int32(rows.parts.count)
        parts[key] = number
        rows.parts.append(
            ReadingRows.Part(source: sources[Int(group)], shape: made[shape], group: group))
        wanted.append(
            WantedPart(
                device: device, source: sources[Int(group)], shape: made[shape], unit: unit,
                isNormalised: isNormalised))
        return number
    }

    private mutating func group(device: KnownDevice, labels: Labels) -> Int32 {
        let key = Group(device: device.entry.id, labels: labels)
        if let known = groups[key] { return known }
        let number = Int32(sources.count)
        groups[key] = number
        sources.append(SeriesSource(device: device.entry.id, labels: labels))
        rows.groupCount = sources.count
        return number
    }

    private mutating func shape(_ fields: [(name: String, value: ReadingValue)]) -> Int {
        if let last = made.last, fields.elementsEqual(last.fields, by: { $0.name == $1 }),
            fields.elementsEqual(last.kinds, by: { $0.value.kind == $1 })
        {
            return made.count - 1
        }
        let key = Fields(names: fields.map(\.name), kinds: fields.map(\.value.kind))
        if let known = shapes[key] { return known }
        shapes[key] = made.count
        made.append(RowShape(fields: key.names, kinds: key.kinds))
        return made.count - 1
    }
}

/// A part of a batch, before anything was looked up for it.
struct WantedPart: Sendable {
    let device: KnownDevice?
    let source: SeriesSource
    let shape: RowShape
    /// The unit that the readings say.
    let unit: String?
    /// Whether the rows have been through their device's handler.
    let isNormalised: Bool
}
