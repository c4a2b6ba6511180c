import VigilModel

/// Rows of one layout.
///
/// The newest rows, fewer than ``tailRows``, lie as they came, one row behind the other, so that adding one touches one
/// place. When they are that many they are put in order of time, and the older half becomes a page: turned, word by word,
/// so that reading one column touches no other. What several senders send at once overtakes by a few rows only, so that
/// one page begins where the one before it ended. Rows of one time stay in the order in which they came: of several, the
/// last counts.
///
/// A copy is a snapshot: rows are only ever added behind those that a copy counts, and what moves goes to new memory.
struct OpenBlock: @unchecked Sendable {
    // Unchecked: the one owner appends behind the rows that copies read.
    let layout: RowLayout
    /// Full pages; word `w` of row `r` of a page lies at `w · pageRows + r`.
    private(set) var pages: [Page] = []
    /// What is known of the pages; copies with the same pages share it.
    private(set) var statistics: PageStatistics
    /// The rows behind the pages.
    private(set) var tail: RowStorage
    private(set) var count = 0
    private(set) var firstTime = Int64.max
    private(set) var lastTime = Int64.min
    /// The row of `lastTime`; of several, the last.
    private(set) var newestRow = 0
    /// Whether times only grow from row to row.
    var isSorted: Bool { isTailSorted && isTailBehind }
    /// Whether times only grow from row to row of the pages, and all that is behind them is later.
    var isTailBehind: Bool { arePagesSorted && (pages.last.map { $0.lastTime < tailFirstTime } ?? true) }
    /// Whether times only grow from row to row of the pages.
    private(set) var arePagesSorted = true
    /// The same of what is behind them.
    private(set) var isTailSorted = true
    /// The times between which the rows behind the pages are.
    private(set) var tailFirstTime = Int64.max
    private(set) var tailLastTime = Int64.min
    private(set) var texts: [String] = []
    private var textNumbers: [String: Int] = [:]
    private var textBytes = 0

    static let rowsMax = 1 << 15
    static let pageShift = 6
    static let pageRows = 1 << pageShift
    /// So many rows are put in order together.
    static let tailRows = 2 * pageRows

    init(layout: RowLayout, capacity: Int = 4) {
        self.layout = layout
        statistics = PageStatistics(columns: layout.columns.count)
        tail = RowStorage(words: layout.stride * min(max(capacity, 1), Self.tailRows))
    }

    var isFull: Bool { count >= Self.rowsMax }
    var memoryBytes: Int { (pages.count * Self.pageRows * layout.stride + tail.count) * 8 + textBytes }
    /// Rows in pages.
    var turnedRows: Int { pages.count << Self.pageShift }

    // MARK: - Reading

    /// One word of a row: 0 is its time, 1 its arrival, then what ``RowLayout`` says.
    @inline(__always)
    func word(_ word: Int, ofRow row: Int) -> UInt64 {
        let page = row >> Self.pageShift
        return page < pages.count
            ? pages[page].words[word << Self.pageShift + row & (Self.pageRows - 1)]
            : tail.words[(row - turnedRows) * layout.stride + word]
    }

    func time(_ row: Int) -> Int64 { Int64(bitPattern: word(0, ofRow: row)) }

    func arrival(_ row: Int) -> Int64 { Int64(bitPattern: word(1, ofRow: row)) }

    func isPresent(_ row: Int, _ column: Int) -> Bool {
        !layout.hasPresence || word(2 + column / 64, ofRow: row) >> UInt64(column % 64) & 1 != 0
    }

    func bits(_ row: Int, _ column: Int) -> UInt64 { word(2 + layout.presenceWords + column, ofRow: row) }

    func quality(_ row: Int, _ column: Int) -> UInt8 {
        guard layout.hasQuality else { return Quality.good.rawValue }
        let word = word(2 + layout.presenceWords + layout.columns.count + column / 8, ofRow: row)
        return UInt8(truncatingIfNeeded: word >> UInt64(column % 8 * 8))
    }

    /// Copies a row to where its words lie one behind the other.
    func copy(_ row: Int, to target: UnsafeMutablePointer<UInt64>) {
        for place in 0..<layout.stride { target[place] = word(place, ofRow: row) }
    }

    // MARK: - Adding

    /// Adds rows as they lie in the log; `texts` are those that their words number.
    ///
    /// Returns by how many bytes the block grew.
    mutating func append(
        _ words: UnsafePointer<UInt64>, rows: Int, arrival: Int64, texts newTexts: [String]
    ) -> Int {
        let before = memoryBytes
        let (perRow, stride, hasTexts) = (layout.wordsPerRow, layout.stride, layout.hasTexts)
        let textNumbers = newTexts.isEmpty ? [] : newTexts.map { number(of: $0) }
        var source = words
        var left = rows
        while left > 0 {
            let some = makeRoom(left)
            var target = tail.words + (count - turnedRows) * stride
            for _ in 0..<some {
                target[0] = source[0]
                target[1] = UInt64(bitPattern: arrival)
                (target + 2).update(from: source + 1, count: perRow - 1)
                if hasTexts { renumber(target, textNumbers) }
                note(Int64(bitPattern: source[0]))
                target += stride
                source += perRow
            }
            left -= some
            turnOldest()
        }
        return memoryBytes - before
    }

    /// Adds a row whose words lie one behind the other, of a block with the same texts.
    mutating func appendRow(_ row: UnsafePointer<UInt64>) {
        _ = makeRoom(1)
        (tail.words + (count - turnedRows) * layout.stride).update(from: row, count: layout.stride)
        note(Int64(bitPattern: row[0]))
        turnOldest()
    }

    mutating func adoptTexts(of other: OpenBlock) {
        texts = other.texts
        textNumbers = other.textNumbers
        textBytes = other.textBytes
    }

    private mutating func note(_ time: Int64) {
        if time <= tailLastTime, tailFirstTime != .max { isTailSorted = false }
        tailFirstTime = min(tailFirstTime, time)
        tailLastTime = max(tailLastTime, time)
        firstTime = min(firstTime, time)
        if time >= lastTime {
            lastTime = time
            newestRow = count
        }
        count += 1
    }

    /// Makes room behind the last row, and says for how many of `rows`: at most until rows are put in order.
    private mutating func makeRoom(_ rows: Int) -> Int {
        let used = count - turnedRows
        let some = min(rows, Self.tailRows - used)
        let needed = (used + some) * layout.stride
        guard needed > tail.count else { return some }
        let whole = Self.tailRows * layout.stride
        // Whoever has filled a page fills another.
        let grown = RowStorage(words: pages.isEmpty ? max(needed, min(tail.count * 2, whole)) : whole)
        grown.words.update(from: tail.words, count: used * layout.stride)
        tail = grown
        return some
    }

    /// Makes a page of the older half when the tail is full.
    private mutating func turnOldest() {
        guard count - turnedRows == Self.tailRows else { return }
        let (stride, half) = (layout.stride, Self.pageRows)
        let page = RowStorage(words: half * stride)
        // Copies may still read these rows where they came.
        let isShared = !isKnownUniquelyReferenced(&tail)
        if isTailSorted {
            turn(to: page) { $0 }
            let rest = isShared ? RowStorage(words: Self.tailRows * stride) : tail
            rest.words.update(from: tail.words + half * stride, count: half * stride)
            tail = rest
        } else {
            let order = NumberOrder.order(Self.tailRows) { Int64(bitPattern: tail.words[$0 * stride]) }
            turn(to: page) { order[$0] }
            let rest = RowStorage(words: Self.tailRows * stride)
            for row in 0..<half {
                (rest.words + row * stride).update(from: tail.words + order[half + row] * stride, count: stride)
            }
            if newestRow >= turnedRows { newestRow = turnedRows + Self.tailRows - 1 }
            tail = rest
        }
        add(Page(page))
    }

    private mutating func add(_ page: Page) {
        let isStrict = isTailSorted || page.isStrict
        let isBehind = pages.last.map { $0.lastTime < page.firstTime } ?? true
        if !isBehind, isStrict, arePagesSorted, let (first, merged) = merged(page) {
            pages.replaceSubrange(first..., with: merged)
            statistics = statistics.ofFirst(first)
            // Where the newest row is in a page, it is the last of all.
            if newestRow < turnedRows { newestRow = turnedRows - 1 }
        } else {
            arePagesSorted = arePagesSorted && isStrict && isBehind
            pages.append(page)
        }
        func time(_ row: Int) -> Int64 { Int64(bitPattern: tail.words[row * layout.stride]) }
        (tailFirstTime, tailLastTime) = (time(0), time(Self.pageRows - 1))
        isTailSorted = isTailSorted || (1..<Self.pageRows).allSatisfy { time($0) > time($0 - 1) }
    }

    /// Turns the first rows of the tail, by their places, to a page.
    private func turn(to page: RowStorage, _ place: (Int) -> Int) {
        let stride = layout.stride
        for word in 0..<stride {
            let (source, target) = (tail.words + word, page.words + word << Self.pageShift)
            for row in 0..<Self.pageRows { target[row] = source[place(row) * stride] }
        }
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
        for (index, column) in layout.columns.enumerated() where column.kind == .text || column.kind == .object {
            let isPresent = !layout.hasPresence || row[2 + index / 64] >> UInt64(index % 64) & 1 != 0
            if isPresent { values[index] = UInt64(numbers[Int(values[index])]) }
        }
    }
}

/// Memory for rows.
final class RowStorage: @unchecked Sendable {
    // Unchecked: see OpenBlock.
    let words: UnsafeMutablePointer<UInt64>
    let count: Int

    init(words count: Int) {
        // Nobody reads a row before it is written, so nothing is cleared.
        words = UnsafeMutablePointer<UInt64>.allocate(capacity: max(count, 1))
        self.count = count
    }

    deinit {
        words.deallocate()
    }
}
