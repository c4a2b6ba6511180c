import VigilModel

extension BatchRecord {
    /// Rows of one part that follow each other: one table of the record.
    struct Run {
        let part: Int32
        /// Their place in the order of the grouped rows.
        let range: Range<Int32>
    }

    /// The rows of a batch, cut into what becomes one table each.
    struct Runs {
        let rows: ReadingRows
        let order: [Int32]
        var all: [Run] = []
        /// Rows of sources that sent several lists of fields: as tables, so that they share a layout.
        var mixed: [ReadingTable] = []

        init(_ rows: ReadingRows) {
            self.rows = rows
            guard !rows.isEmpty else {
                order = []
                return
            }
            let grouping = rows.grouped()
            order = grouping.order
            all.reserveCapacity(rows.groupCount)
            var start: Int32 = 0
            for end in grouping.ends {
                defer { start = end }
                guard start < end else { continue }
                let part = rows.rows[Int(order[Int(start)])].part
                if (start + 1..<end).allSatisfy({ rows.rows[Int(order[Int($0)])].part == part }) {
                    all.append(Run(part: part, range: start..<end))
                } else {
                    mixed += rows.tables(ofOneSource: order[Int(start)..<Int(end)])
                }
            }
        }

        /// For each part, whether a word of it is marked; `nil` when none is.
        var marked: [Bool]? {
            guard let qualities = rows.qualities else { return nil }
            var marked = [Bool](repeating: false, count: rows.parts.count)
            for row in rows.rows where !marked[Int(row.part)] {
                let count = rows.parts[Int(row.part)].shape.fields.count
                let first = Int(row.firstWord)
                marked[Int(row.part)] = qualities[first..<first + count].contains { $0 != Quality.good.rawValue }
            }
            return marked
        }
    }

    /// Adds a run; `layout` is its part's.
    static func write(_ run: Run, of runs: borrowing Runs, _ layout: RowLayout, to buffer: RecordBuffer) {
        let count = run.range.count
        let head = buffer.extend(by: 8).assumingMemoryBound(to: UInt32.self)
        head[0] = layout.number.littleEndian
        head[1] = UInt32(count).littleEndian
        writeTexts(run, runs, layout, to: buffer)
        let (width, stride) = (layout.columns.count, layout.wordsPerRow)
        let target = buffer.extend(by: count * stride * 8).bindMemory(to: UInt64.self, capacity: count * stride)
        var text: UInt64 = 0
        runs.rows.words.withUnsafeBufferPointer { words in
            guard let words = words.baseAddress else { return }
            for (place, number) in run.range.enumerated() {
                let row = runs.rows.rows[Int(runs.order[Int(number)])]
                let start = target + place * stride
                start[0] = UInt64(bitPattern: row.time).littleEndian
                (start + 1).update(from: words + Int(row.firstWord), count: width)
                if layout.hasTexts {
                    for (index, column) in layout.columns.enumerated() where column.kind.isText {
                        start[1 + index] = text.littleEndian
                        text += 1
                    }
                }
                if layout.hasQuality { writeQuality(start + 1 + width, row, width, layout, runs.rows.qualities) }
            }
        }
    }

    /// Adds all runs, of which none has texts or qualities: the way of nearly every batch.
    static func writeNumbers(_ runs: borrowing Runs, _ layouts: [RowLayout], to buffer: RecordBuffer) {
        var size = 0
        for (index, run) in runs.all.enumerated() { size += 16 + run.range.count * layouts[index].wordsPerRow * 8 }
        var target = buffer.extend(by: size)
        let (order, rows) = (runs.order, runs.rows.rows)
        runs.rows.words.withUnsafeBufferPointer { words in
            guard let words = words.baseAddress else { return }
            for (index, run) in runs.all.enumerated() {
                target.storeBytes(of: layouts[index].number.littleEndian, as: UInt32.self)
                target.storeBytes(of: UInt32(run.range.count).littleEndian, toByteOffset: 4, as: UInt32.self)
                target.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
                target += 16
                let width = layouts[index].wordsPerRow - 1
                for place in Int(run.range.lowerBound)..<Int(run.range.upperBound) {
                    let row = rows[Int(order[place])]
                    target.storeBytes(of: row.time.littleEndian, as: Int64.self)
                    (target + 8).copyMemory(from: words + Int(row.firstWord), byteCount: width * 8)
                    target += 8 + width * 8
                }
            }
        }
    }

    private static func writeTexts(
        _ run: Run, _ runs: borrowing Runs, _ layout: RowLayout, to buffer: RecordBuffer
    ) {
        guard layout.hasTexts else {
            buffer.append(UInt64(0))
            return
        }
        let columns = layout.columns.indices.filter { layout.columns[$0].kind.isText }
        buffer.append(UInt32(run.range.count * columns.count))
        buffer.append(UInt32(0))
        for number in run.range {
            let first = Int(runs.rows.rows[Int(runs.order[Int(number)])].firstWord)
            for column in columns { buffer.append(runs.rows.texts[Int(runs.rows.words[first + column])]) }
        }
        buffer.pad()
    }

    private static func writeQuality(
        _ target: UnsafeMutablePointer<UInt64>, _ row: ReadingRows.Row, _ width: Int, _ layout: RowLayout,
        _ qualities: [UInt8]?
    ) {
        for word in 0..<layout.qualityWords { target[word] = 0 }
        for index in 0..<width {
            let quality = qualities?[Int(row.firstWord) + index] ?? Quality.good.rawValue
            target[index / 8] |= (UInt64(quality) << UInt64(index % 8 * 8)).littleEndian
        }
    }
}

extension ReadingValue.Kind {
    /// Whether its word numbers a text.
    var isText: Bool { self == .text || self == .object }
}
