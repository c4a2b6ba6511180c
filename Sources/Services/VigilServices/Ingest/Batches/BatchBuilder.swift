import VigilModel

/// Gathers single readings into tables: one for each device, label set and set of fields.
struct BatchBuilder {
    private struct Shape: Hashable {
        let device: DeviceID
        let labels: Labels
        let fields: [String]
        let kinds: [ReadingValue.Kind]
        let quality: Bool
    }

    private struct Table {
        let entry: DeviceEntry
        var table: ReadingTable
        var units: [String?]
    }

    private var places: [Shape: Int] = [:]
    private var tables: [Table] = []

    /// Adds a row.
    mutating func add(
        _ fields: [(name: String, value: ReadingValue)], units: [String?], quality: UInt8?, time: Timestamp,
        labels: Labels, device: DeviceEntry
    ) {
        let shape = Shape(
            device: device.id, labels: labels, fields: fields.map(\.name), kinds: fields.map(\.value.kind),
            quality: quality != nil)
        let place: Int
        if let known = places[shape] {
            place = known
        } else {
            place = tables.count
            places[shape] = place
            let columns = fields.map { field in
                ReadingColumn(field: field.name, values: .empty(field.value.kind), quality: quality == nil ? nil : [])
            }
            let source = SeriesSource(device: device.id, labels: labels)
            tables.append(
                Table(
                    entry: device, table: ReadingTable(source: source, times: [], columns: columns), units: units))
        }
        tables[place].table.times.append(time.microseconds)
        for index in fields.indices {
            tables[place].table.columns[index].values.append(fields[index].value)
            if let quality { tables[place].table.columns[index].quality?.append(quality) }
        }
    }

    /// The tables with their devices.
    func finish() -> [PreparedTable] {
        tables.map { PreparedTable(device: $0.entry, table: $0.table, units: $0.units) }
    }
}

/// A table whose device is known, ready to be stored.
struct PreparedTable: Sendable {
    var device: DeviceEntry?
    var table: ReadingTable
    var units: [String?]
}

extension ReadingColumn.Values {
    static func empty(_ kind: ReadingValue.Kind) -> Self {
        switch kind {
        case .float: .floats([])
        case .integer: .integers([])
        case .boolean: .booleans([])
        case .text: .texts([])
        case .object: .objects([])
        }
    }

    /// Adds a value of this column's kind.
    mutating func append(_ value: ReadingValue) {
        switch (self, value) {
        case (.floats(var values), .float(let value)):
            self = .floats([])
            values.append(value)
            self = .floats(values)
        case (.integers(var values), .integer(let value)):
            self = .integers([])
            values.append(value)
            self = .integers(values)
        case (.booleans(var values), .boolean(let value)):
            self = .booleans([])
            values.append(value)
            self = .booleans(values)
        case (.texts(var values), .text(let value)):
            self = .texts([])
            values.append(value)
            self = .texts(values)
        case (.objects(var values), .object(let value)):
            self = .objects([])
            values.append(value)
            self = .objects(values)
        default: preconditionFailure("BUG: a value of another kind than its column's")
        }
    }
}
