import VigilModel

/// Rows of one layout in the order of arrival.
///
/// A copy is a snapshot: rows are only ever added behind those that a copy counts, and a block that is full moves to
/// new memory.
struct OpenBlock: @unchecked Sendable {
    // Unchecked: the one owner appends behind the rows that copies read.
    let layout: RowLayout
    private(set) var storage: RowStorage
    private(set) var count = 0
    private(set) var firstTime = Int64.max
    private(set) var lastTime = Int64.min
    /// The row of `lastTime`; of several, the last.
    private(set) var newestRow = 0
    /// Whether times only grow from row to row.
    private(set) var isSorted = true
    private(set) var texts: [String] = []
    private var textNumbers: [String: Int] = [:]
    private var textBytes = 0

    static let rowsMax = 1 << 15

    init(layout: RowLayout, capacity: Int = 4) {
        self.layout = layout
        storage = RowStorage(words: layout.stride * max(capacity, 1))
    }

    var isFull: Bool { count >= Self.rowsMax }
    var memoryBytes: Int { storage.count * 8 + textBytes }

    func row(_ index: Int) -> UnsafePointer<UInt64> {
        UnsafePointer(storage.words + index * layout.stride)
    }

    func time(_ index: Int) -> Int64 { Int64(bitPattern: row(index)[0]) }

    /// Adds rows as they lie in the log; `texts` are those that their words number.
    ///
    /// Returns by how many bytes the block grew.
    mutating func append(
        _ words: UnsafePointer<UInt64>, rows: Int, arrival: Int64, texts newTexts: [String]
    ) -> Int {
        let before = memoryBytes
        reserve(rows)
        let (perRow, stride, hasTexts) = (layout.wordsPerRow, layout.stride, layout.hasTexts)
        let textNumbers = newTexts.isEmpty ? [] : newTexts.map { number(of: $0) }
        var target = storage.words + count * stride
        var source = words
        for _ in 0..<rows {
            target[0] = source[0]
            target[1] = UInt64(bitPattern: arrival)
            (target + 2).update(from: source + 1, count: perRow - 1)
            if hasTexts { renumber(target, textNumbers) }
            note(Int64(bitPattern: source[0]))
            target += stride
            source += perRow
        }
        return memoryBytes - before
    }

    /// Adds a row as it lies in memory, of a block with the same texts.
    mutating func appendRow(_ row: UnsafePointer<UInt64>) {
        reserve(1)
        (storage.words + count * layout.stride).update(from: row, count: layout.stride)
        note(Int64(bitPattern: row[0]))
    }

    mutating func adoptTexts(of other: OpenBlock) {
        texts = other.texts
        textNumbers = other.textNumbers
        textBytes = other.textBytes
    }

    private mutating func note(_ time: Int64) {
        if time <= lastTime { isSorted = false }
        if count == 0 { isSorted = true }
        firstTime = min(firstTime, time)
        if time >= lastTime {
            lastTime = time
            newestRow = count
        }
        count += 1
    }

    private mutating func reserve(_ rows: Int) {
        let needed = (count + rows) * layout.stride
        guard needed > storage.count else { return }
        let grown = RowStorage(words: max(needed, min(storage.count * 2, Self.rowsMax * layout.stride)))
        grown.words.update(from: storage.words, count: count * layout.stride)
        storage = grown
    }

    private mutating func number(of text: String) -> Int {
        if let number = textNumbers[text] { return number }
        textNumbers[text] = texts.count
        texts.append(text)
        textBytes += text.utf8.count * 2 + 64
        return texts.count - 1
    }

    private func renumber(_ row: UnsafeMutablePointer<UInt64>, _ numbers: [Int]) {
        let values = row + 2 + layout.presenceWords
        for (index, column) in layout.columns.enumerated()
        where (column.kind == .text || column.kind == .object) && isPresent(UnsafePointer(row), index) {
            values[index] = UInt64(numbers[Int(values[index])])
        }
    }

    func isPresent(_ row: UnsafePointer<UInt64>, _ column: Int) -> Bool {
        !layout.hasPresence || row[2 + column / 64] >> UInt64(column % 64) & 1 != 0
    }

    func bits(_ row: UnsafePointer<UInt64>, _ column: Int) -> UInt64 { row[2 + layout.presenceWords + column] }

    func quality(_ row: UnsafePointer<UInt64>, _ column: Int) -> UInt8 {
        guard layout.hasQuality else { return Quality.good.rawValue }
        let word = row[2 + layout.presenceWords + layout.columns.count + column / 8]
        return UInt8(truncatingIfNeeded: word >> UInt64(column % 8 * 8))
    }
}

/// Memory for rows.
final class RowStorage: @unchecked Sendable {
    // Unchecked: see OpenBlock.
    let words: UnsafeMutablePointer<UInt64>
    let count: Int
    let order = RowOrder.Kept()

    init(words count: Int) {
        // Nobody reads a row before it is written, so nothing is cleared.
        words = UnsafeMutablePointer<UInt64>.allocate(capacity: max(count, 1))
        self.count = count
    }

    deinit {
        words.deallocate()
    }
}
