/// Readings of many series, column by column: what every decoder makes and every store takes.
///
/// A batch is a list of tables. A table holds the rows of one ``SeriesSource``: one array of times, and for each field
/// one column of the same length. Fields that some rows lack mark those rows as absent.
///
/// Beside them stand rows of many sources, ``rows``, for paths where most sources have a row or two. A store that does not
/// care reads ``tables``, which has both.
package struct ReadingBatch: Sendable {
    /// The tables that the batch was made with.
    package var ownTables: [ReadingTable]
    /// Readings beside the tables.
    ///
    /// No source and time of theirs is in a table too.
    package var rows: ReadingRows
    /// When the batch reached us; every reading of it has this arrival time.
    package var arrival: Timestamp

    package init(tables: [ReadingTable] = [], rows: ReadingRows = ReadingRows(), arrival: Timestamp) {
        ownTables = tables
        self.rows = rows
        self.arrival = arrival
    }

    /// All readings as tables, those of ``rows`` too.
    package var tables: [ReadingTable] {
        get { rows.isEmpty ? ownTables : ownTables + rows.tables }
        set {
            ownTables = newValue
            rows = ReadingRows()
        }
    }

    /// How many values the batch holds, over all series.
    package var readingCount: Int { ownTables.reduce(0) { $0 + $1.readingCount } + rows.readingCount }
    package var isEmpty: Bool { rows.isEmpty && ownTables.allSatisfy { $0.times.isEmpty } }
}

/// The rows of one source.
package struct ReadingTable: Sendable {
    package var source: SeriesSource
    /// Microseconds since 1970, in the order of arrival.
    ///
    /// Neither sorted nor unique: of two rows with one time, the later row wins.
    package var times: [Int64]
    package var columns: [ReadingColumn]

    package init(source: SeriesSource, times: [Int64], columns: [ReadingColumn]) {
        self.source = source
        self.times = times
        self.columns = columns
    }

    package var readingCount: Int { columns.reduce(0) { $0 + $1.presentCount } }
}

/// The values of one field, one per row of its table.
package struct ReadingColumn: Sendable {
    /// The field's name; the metric is ``SeriesSource/metric(of:)``.
    package var field: String
    package var values: Values
    /// Which rows have a value; `nil` when all have.
    ///
    /// Where a row has none, `values` holds a filler.
    package var present: [Bool]?
    /// The quality of each row; `nil` when all are ``Quality/good``.
    package var quality: [UInt8]?

    package enum Values: Sendable {
        case floats([Double])
        case integers([Int64])
        case booleans([Bool])
        case texts([String])
        /// JSON texts.
        case objects([String])
    }

    package init(field: String, values: Values, present: [Bool]? = nil, quality: [UInt8]? = nil) {
        self.field = field
        self.values = values
        self.present = present
        self.quality = quality
    }

    package func isPresent(_ row: Int) -> Bool { present?[row] ?? true }

    package var presentCount: Int { present?.reduce(0) { $0 + ($1 ? 1 : 0) } ?? values.count }

    /// The value of a row, or `nil` where the row has none.
    package subscript(_ row: Int) -> ReadingValue? { isPresent(row) ? values[row] : nil }

    package func quality(_ row: Int) -> Quality { quality.map { Quality(rawValue: $0[row]) } ?? .good }
}

extension ReadingColumn.Values {
    package var count: Int {
        switch self {
        case .floats(let values): values.count
        case .integers(let values): values.count
        case .booleans(let values): values.count
        case .texts(let values), .objects(let values): values.count
        }
    }

    package var kind: ReadingValue.Kind {
        switch self {
        case .floats: .float
        case .integers: .integer
        case .booleans: .boolean
        case .texts: .text
        case .objects: .object
        }
    }

    package subscript(_ row: Int) -> ReadingValue {
        switch self {
        case .floats(let values): .float(values[row])
        case .integers(let values): .integer(values[row])
        case .booleans(let values): .boolean(values[row])
        case .texts(let values): .text(values[row])
        case .objects(let values): .object(values[row])
        }
    }

    /// A column of a kind that has no rows yet.
    package static func empty(of kind: ReadingValue.Kind) -> Self {
        switch kind {
        case .float: .floats([])
        case .integer: .integers([])
        case .boolean: .booleans([])
        case .text: .texts([])
        case .object: .objects([])
        }
    }

    /// A column of one value.
    package init(_ value: ReadingValue) {
        switch value {
        case .float(let value): self = .floats([value])
        case .integer(let value): self = .integers([value])
        case .boolean(let value): self = .booleans([value])
        case .text(let value): self = .texts([value])
        case .object(let value): self = .objects([value])
        }
    }
}
