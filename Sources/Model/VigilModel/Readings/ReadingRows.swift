/// Which fields a row has, and of which kinds.
///
/// A class, so that every stage behind the decoder can look up by object identity what it knows of the fields. It never
/// changes.
package final class RowShape: Sendable {
    package let fields: [String]
    package let kinds: [ReadingValue.Kind]

    package init(fields: [String], kinds: [ReadingValue.Kind]) {
        self.fields = fields
        self.kinds = kinds
    }
}

/// Rows of many sources in a few arrays, however many sources there are: a row costs no allocation.
///
/// A row belongs to a part, which names its source and its fields, and has one word for each field: the bits of a float
/// or of an integer, 0 or 1 for a boolean, the place in ``texts`` for a text or an object. Rows stand in the order of
/// arrival; of two rows of one source with one time, the later row wins.
package struct ReadingRows: Sendable {
    /// A source with the fields of its rows.
    package struct Part: Sendable {
        package var source: SeriesSource
        package var shape: RowShape
        /// Parts with the same number have the same source; the order of their rows matters.
        package var group: Int32

        package init(source: SeriesSource, shape: RowShape, group: Int32) {
            self.source = source
            self.shape = shape
            self.group = group
        }
    }

    package struct Row: Sendable {
        package var part: Int32
        /// The place of the first field's word.
        package var firstWord: Int32
        /// Microseconds since 1970.
        package var time: Int64

        package init(part: Int32, firstWord: Int32, time: Int64) {
            self.part = part
            self.firstWord = firstWord
            self.time = time
        }
    }

    package var parts: [Part]
    /// How many groups the parts name: their numbers are below this.
    package var groupCount: Int
    package var rows: [Row]
    package var words: [UInt64]
    package var texts: [String]
    /// The quality of each word; `nil` when all are ``Quality/good``.
    package var qualities: [UInt8]?

    package init(
        parts: [Part] = [], groupCount: Int = 0, rows: [Row] = [], words: [UInt64] = [], texts: [String] = [],
        qualities: [UInt8]? = nil
    ) {
        self.parts = parts
        self.groupCount = groupCount
        self.rows = rows
        self.words = words
        self.texts = texts
        self.qualities = qualities
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// How many values the rows hold.
    package var readingCount: Int {
        let widths = parts.map(\.shape.fields.count)
        return rows.reduce(0) { $0 + widths[Int($1.part)] }
    }

    /// The value of a word of this kind.
    package func value(_ kind: ReadingValue.Kind, at word: Int) -> ReadingValue {
        switch kind {
        case .float: .float(Double(bitPattern: words[word]))
        case .integer: .integer(Int64(bitPattern: words[word]))
        case .boolean: .boolean(words[word] != 0)
        case .text: .text(texts[Int(words[word])])
        case .object: .object(texts[Int(words[word])])
        }
    }

    /// Adds the word of a value.
    package mutating func append(_ value: ReadingValue) {
        switch value {
        case .float(let value): words.append(value.bitPattern)
        case .integer(let value): words.append(UInt64(bitPattern: value))
        case .boolean(let value): words.append(value ? 1 : 0)
        case .text(let value), .object(let value):
            words.append(UInt64(texts.count))
            texts.append(value)
        }
    }

    // MARK: - Order

    /// The numbers of the rows, group after group and in the order of arrival within a group.
    package struct Grouping: Sendable {
        package let order: [Int32]
        /// Where each group ends in `order`; it begins where the one before it ends.
        package let ends: [Int32]
    }

    package func grouped() -> Grouping {
        var ends = [Int32](repeating: 0, count: groupCount)
        let groups = parts.map(\.group)
        for row in rows { ends[Int(groups[Int(row.part)])] += 1 }
        var total: Int32 = 0
        for group in ends.indices {
            total += ends[group]
            ends[group] = total - ends[group]
        }
        let order = [Int32](unsafeUninitializedCapacity: rows.count) { buffer, count in
            for (number, row) in rows.enumerated() {
                let group = Int(groups[Int(row.part)])
                buffer.initializeElement(at: Int(ends[group]), to: Int32(truncatingIfNeeded: number))
                ends[group] += 1
            }
            count = rows.count
        }
        return Grouping(order: order, ends: ends)
    }

    /// How many rows a part has, and between which times.
    package struct Extent: Sendable {
        package var rowCount = 0
        package var firstTime = Int64.max
        package var lastTime = Int64.min
        /// The number of the row with the newest time; of several, the last.
        package var newestRow: Int32 = -1
    }

    /// The extent of each part.
    package func extents() -> [Extent] {
        var extents = [Extent](repeating: Extent(), count: parts.count)
        extents.withUnsafeMutableBufferPointer { extents in
            for (number, row) in rows.enumerated() {
                let part = Int(row.part)
                extents[part].rowCount += 1
                if row.time < extents[part].firstTime { extents[part].firstTime = row.time }
                if row.time >= extents[part].lastTime {
                    extents[part].lastTime = row.time
                    extents[part].newestRow = Int32(truncatingIfNeeded: number)
                }
            }
        }
        return extents
    }
}
