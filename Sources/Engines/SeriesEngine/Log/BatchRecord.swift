import VigilModel
import VigilPorts

/// The payload of a record of readings: arrival 8, count of tables 4, zero 4, then the tables.
///
/// A table is its layout's number 4, count of rows 4, count of texts 4, zero 4; the texts (length 4 and bytes each),
/// filled up to eight; then the rows as ``RowLayout`` says, where the word of a text is its number among the texts.
enum BatchRecord {
    static func write(
        _ tables: [ReadingTable], layouts: [RowLayout], _ runs: Runs, runLayouts: [RowLayout], arrival: Timestamp
    ) -> RecordBuffer {
        var size = 16 + runs.all.count * 16 + runs.rows.words.count * 8 + runs.rows.rows.count * 8
        for (index, table) in tables.enumerated() {
            size += 16 + table.times.count * layouts[index].wordsPerRow * 8
        }
        let buffer = RecordBuffer(capacity: size)
        buffer.append(arrival.microseconds)
        buffer.append(UInt32(tables.count + runs.all.count))
        buffer.append(UInt32(0))
        for (index, table) in tables.enumerated() { write(table, layouts[index], to: buffer) }
        if runLayouts.contains(where: { $0.hasTexts || $0.hasQuality }) {
            for (index, run) in runs.all.enumerated() { write(run, of: runs, runLayouts[index], to: buffer) }
        } else {
            writeNumbers(runs, runLayouts, to: buffer)
        }
        return buffer
    }

    private static func write(_ table: ReadingTable, _ layout: RowLayout, to buffer: RecordBuffer) {
        buffer.append(layout.number)
        buffer.append(UInt32(table.times.count))
        var texts = TextNumbers()
        if layout.hasTexts {
            for column in table.columns { texts.add(column) }
        }
        buffer.append(UInt32(texts.all.count))
        buffer.append(UInt32(0))
        for text in texts.all { buffer.append(text) }
        buffer.pad()
        let rows = table.times.count
        let stride = layout.wordsPerRow
        let words = buffer.extend(by: rows * stride * 8).bindMemory(to: UInt64.self, capacity: rows * stride)
        for row in 0..<rows { words[row * stride] = UInt64(bitPattern: table.times[row]).littleEndian }
        let extra = layout.presenceWords + layout.qualityWords
        if extra > 0 { clear(words, rows, layout) }
        for (index, column) in table.columns.enumerated() {
            fill(words + 1 + layout.presenceWords + index, stride, column.values, texts)
            if layout.hasPresence { markPresent(words + 1 + index / 64, stride, rows, column, bit: index % 64) }
            if layout.hasQuality {
                let first = 1 + layout.presenceWords + layout.columns.count + index / 8
                markQuality(words + first, stride, rows, column, shift: index % 8 * 8)
            }
        }
    }

    private static func clear(_ words: UnsafeMutablePointer<UInt64>, _ rows: Int, _ layout: RowLayout) {
        for row in 0..<rows {
            let start = words + row * layout.wordsPerRow
            for word in 0..<layout.presenceWords { start[1 + word] = 0 }
            for word in 0..<layout.qualityWords { start[layout.wordsPerRow - 1 - word] = 0 }
        }
    }

    private static func fill(
        _ words: UnsafeMutablePointer<UInt64>, _ stride: Int, _ values: ReadingColumn.Values, _ texts: TextNumbers
    ) {
        switch values {
        case .floats(let values):
            values.withUnsafeBufferPointer { values in
                for row in values.indices { words[row * stride] = values[row].bitPattern.littleEndian }
            }
        case .integers(let values):
            values.withUnsafeBufferPointer { values in
                for row in values.indices { words[row * stride] = UInt64(bitPattern: values[row]).littleEndian }
            }
        case .booleans(let values):
            for row in values.indices { words[row * stride] = values[row] ? UInt64(1).littleEndian : 0 }
        case .texts(let values), .objects(let values):
            for row in values.indices {
                words[row * stride] = UInt64(texts.numbers[values[row]] ?? 0).littleEndian
            }
        }
    }

    private static func markPresent(
        _ words: UnsafeMutablePointer<UInt64>, _ stride: Int, _ rows: Int, _ column: ReadingColumn, bit: Int
    ) {
        for row in 0..<rows where column.isPresent(row) {
            words[row * stride] |= (UInt64(1) << UInt64(bit)).littleEndian
        }
    }

    private static func markQuality(
        _ words: UnsafeMutablePointer<UInt64>, _ stride: Int, _ rows: Int, _ column: ReadingColumn, shift: Int
    ) {
        for row in 0..<rows {
            words[row * stride] |= (UInt64(column.quality(row).rawValue) << UInt64(shift)).littleEndian
        }
    }

    /// Numbers each text of a table once.
    private struct TextNumbers {
        private(set) var all: [String] = []
        private(set) var numbers: [String: Int] = [:]

        mutating func add(_ column: ReadingColumn) {
            switch column.values {
            case .texts(let values), .objects(let values):
                for (row, value) in values.enumerated() where column.isPresent(row) && numbers[value] == nil {
                    numbers[value] = all.count
                    all.append(value)
                }
            case .floats, .integers, .booleans: break
            }
        }
    }

    /// One table of a payload.
    struct Table {
        let layout: UInt32
        let rows: Int
        let texts: [String]
        /// What follows the table's head; as many words as the layout says belong to it.
        let words: UnsafePointer<UInt64>
    }

    /// Reads a payload table by table.
    struct Reader {
        private var reader: RecordReader
        let arrival: Int64
        private(set) var remaining: Int

        /// `nil` when the payload is too short.
        init?(_ payload: UnsafeRawBufferPointer) {
            reader = RecordReader(payload)
            guard let arrival: Int64 = reader.number(), let count: UInt32 = reader.number(),
                reader.number(UInt32.self) != nil
            else { return nil }
            self.arrival = arrival
            remaining = Int(count)
        }

        /// The next table, whose layout `layout` finds by its number; `nil` at the end or when the payload is malformed.
        mutating func next(_ layout: (UInt32) -> RowLayout?) -> (Table, RowLayout)? {
            guard remaining > 0, let number: UInt32 = reader.number(), let rows: UInt32 = reader.number(),
                let textCount: UInt32 = reader.number(), reader.number(UInt32.self) != nil,
                let layout = layout(number)
            else { return nil }
            var texts: [String] = []
            for _ in 0..<textCount {
                guard let text = reader.text() else { return nil }
                texts.append(text)
            }
            reader.skipPadding()
            guard let bytes = reader.slice(Int(rows) * layout.wordsPerRow * 8), let start = bytes.baseAddress
            else { return nil }
            remaining -= 1
            let words = start.assumingMemoryBound(to: UInt64.self)
            return (Table(layout: number, rows: Int(rows), texts: texts, words: words), layout)
        }
    }
}
