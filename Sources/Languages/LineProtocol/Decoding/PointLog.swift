import VigilModel

/// The good lines of a request in the order of arrival, before they become columns.
///
/// Values lie in one flat array as 64-bit patterns, so that a line costs no allocation; ``rows(of:shapes:)`` hands it
/// on as it is.
struct PointLog {
    struct Line {
        let slot: Int32
        let shape: Int32
        let firstValue: Int
        let time: Int64
    }

    private(set) var lines: [Line] = []
    private(set) var values: [UInt64] = []
    private var texts: [String] = []

    /// Where a line begins, to come back to when it turns out bad.
    struct Mark {
        let values: Int
        let texts: Int
    }

    var mark: Mark { Mark(values: values.count, texts: texts.count) }

    mutating func rewind(to mark: Mark) {
        values.removeLast(values.count - mark.values)
        texts.removeLast(texts.count - mark.texts)
    }

    mutating func reserve(bytes: Int) {
        values.reserveCapacity(values.count + bytes / 12)
    }

    @inline(__always)
    mutating func append(bits: UInt64) { values.append(bits) }

    mutating func append(text: String) {
        values.append(UInt64(texts.count))
        texts.append(text)
    }

    @inline(__always)
    mutating func endLine(slot: Int32, shape: Int32, firstValue: Int, time: Int64) {
        lines.append(Line(slot: slot, shape: shape, firstValue: firstValue, time: time))
    }
}

// MARK: - Rows

extension PointLog {
    /// The lines as rows, one part for each source and list of fields, in the order in which they first came.
    consuming func rows(of sources: [SeriesSource?], shapes: FieldShapes) -> ReadingRows {
        var parts: [ReadingRows.Part] = []
        parts.reserveCapacity(sources.count)
        var made: [Int32: RowShape] = [:]
        // Most sources have one list of fields, so each remembers the part that came last.
        var recent = [(shape: Int32, part: Int32)](repeating: (-1, -1), count: sources.count)
        var others: [PartKey: Int32] = [:]
        var rows: [ReadingRows.Row] = []
        rows.reserveCapacity(lines.count)
        for line in lines {
            let slot = Int(line.slot)
            if recent[slot].shape != line.shape {
                guard let source = sources[slot] else { continue }
                let key = PartKey(slot: line.slot, shape: line.shape)
                if recent[slot].shape >= 0 {
                    others[PartKey(slot: line.slot, shape: recent[slot].shape)] = recent[slot].part
                }
                if let known = others[key] {
                    recent[slot] = (line.shape, known)
                } else {
                    recent[slot] = (line.shape, Int32(parts.count))
                    let shape = made[line.shape] ?? shapes.rowShape(of: line.shape)
                    made[line.shape] = shape
                    parts.append(ReadingRows.Part(source: source, shape: shape, group: line.slot))
                }
            }
            rows.append(
                ReadingRows.Row(
                    part: recent[slot].part, firstWord: Int32(truncatingIfNeeded: line.firstValue), time: line.time))
        }
        return ReadingRows(parts: parts, groupCount: sources.count, rows: rows, words: values, texts: texts)
    }

    private struct PartKey: Hashable {
        let slot: Int32
        let shape: Int32
    }
}

extension FieldShapes {
    /// A list of fields as the rows name it.
    func rowShape(of node: Int32) -> RowShape {
        let fields = fields(of: node)
        return RowShape(fields: fields.map { names[Int($0.name)].text }, kinds: fields.map(\.kind))
    }
}
