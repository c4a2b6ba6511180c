import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

@Suite struct OpenBlockTests {
    private static let kinds: [ReadingValue.Kind] = [.float, .integer, .boolean]

    /// A layout of three columns: a float, an integer and a boolean.
    private static func layout(hasPresence: Bool) -> RowLayout {
        let group = SourceGroup(number: 1, tenant: TenantID(high: 1, low: 1), device: nil, labels: .none)
        let columns = kinds.enumerated().map { place, kind in
            RowLayout.Column(
                series: SeriesEntry(number: UInt32(place), group: group, metric: "m\(place)"), kind: kind)
        }
        return RowLayout(number: 1, group: group, columns: columns, hasPresence: hasPresence, hasQuality: false)
    }

    private struct Row {
        var time: Int64
        var bits: [UInt64?]
    }

    /// Times that mostly grow, with neighbours across, doubles and now and then one from long before.
    private static func rows(
        _ count: Int, hasPresence: Bool, isSorted: Bool, using generator: inout SeededGenerator
    ) -> [Row] {
        (0..<count).map { number in
            let dice = generator.next() % 40
            let away: Int64 =
                isSorted ? 0 : dice == 0 ? Int64(generator.next() % 500) : dice < 8 ? Int64(generator.next() % 6) : 0
            let bits = kinds.indices.map { column -> UInt64? in
                if hasPresence, generator.next() % 4 == 0 { return nil }
                return column == 0 ? Double(number).bitPattern : column == 1 ? UInt64(number) : UInt64(number % 2)
            }
            return Row(time: Int64(number) * 2 - away, bits: bits)
        }
    }

    private static func append(_ rows: [Row], to block: inout OpenBlock) {
        var words: [UInt64] = []
        for row in rows {
            words.append(UInt64(bitPattern: row.time))
            if block.layout.hasPresence {
                words.append(row.bits.enumerated().reduce(0) { $0 | ($1.element == nil ? 0 : 1 << UInt64($1.offset)) })
            }
            words += row.bits.map { $0 ?? 0 }
        }
        _ = words.withUnsafeBufferPointer { words in
            words.baseAddress.map { block.append($0, rows: rows.count, arrival: 7, texts: []) }
        }
    }

    /// What a column must answer: in order of time, of one time the row that came last.
    private static func expected(_ rows: [Row], _ column: Int, _ range: Range<Int64>) -> [Int64: Double] {
        var numbers: [Int64: Double] = [:]
        for row in rows where range.contains(row.time) {
            guard let bits = row.bits[column] else { continue }
            numbers[row.time] = column == 0 ? Double(bitPattern: bits) : Double(bits)
        }
        return numbers
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func `a column answers what was added, whatever lies in pages`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let hasPresence = seed % 2 == 0
        let layout = Self.layout(hasPresence: hasPresence)
        var block = OpenBlock(layout: layout)
        var all: [Row] = []
        var moments: [(block: OpenBlock, count: Int)] = []
        while all.count < 1000 {
            let many = Self.rows(
                1 + Int(generator.next() % 90), hasPresence: hasPresence, isSorted: seed > 6, using: &generator)
            let begun = Int64(all.count) * 2
            let later = many.map { Row(time: $0.time + begun, bits: $0.bits) }
            Self.append(later, to: &block)
            all += later
            moments.append((block, all.count))
        }
        // A copy is what it was, however much was added to the block since.
        for (block, count) in moments.suffix(4) + moments.prefix(8) {
            let rows = Array(all.prefix(count))
            #expect(block.count == count)
            #expect(block.lastTime == rows.map(\.time).max() && block.firstTime == rows.map(\.time).min())
            for column in Self.kinds.indices {
                let start = Int64(generator.next() % UInt64(count * 2)) - 20
                for range in [Int64.min..<Int64.max, start..<start + 1 + Int64(generator.next() % 400)] {
                    let numbers = block.numbers(ofColumn: column, from: range.lowerBound, to: range.upperBound)
                    let expected = Self.expected(rows, column, range)
                    #expect(numbers.times == expected.keys.sorted())
                    #expect(numbers.values == expected.keys.sorted().map { expected[$0] })
                    #expect(
                        block.hasSample(ofColumns: [column], from: range.lowerBound, to: range.upperBound)
                            == !expected.isEmpty)
                }
                let newest = rows.filter { $0.bits[column] != nil }.map(\.time).max()
                #expect(block.newestRow(ofColumn: column).map { block.time($0) } == newest)
            }
        }
    }

    @Test func `what is removed is gone from pages and from the rows behind them`() {
        var generator = SeededGenerator(seed: 9)
        var block = OpenBlock(layout: Self.layout(hasPresence: false))
        let rows = Self.rows(300, hasPresence: false, isSorted: false, using: &generator)
        Self.append(rows, to: &block)
        let (rest, removed) = block.removing([1], from: 100, to: 400)
        let before = Self.expected(rows, 1, Int64.min..<Int64.max)
        #expect(removed == rows.filter { (100..<400).contains($0.time) }.count)
        #expect(
            rest.numbers(ofColumn: 1, from: .min, to: .max).times
                == before.keys.sorted().filter { !(100..<400).contains($0) })
        #expect(rest.numbers(ofColumn: 0, from: .min, to: .max).times == before.keys.sorted())
    }

    @Test func `rows of senders that overtake each other lie in pages that begin where the one before ended`() {
        var block = OpenBlock(layout: Self.layout(hasPresence: false))
        // Four senders with ten rows each: the second and the fourth come first.
        let order = [1, 0, 3, 2]
        let rows = (0..<30).flatMap { round in
            order.flatMap { sender in
                (0..<10).map { row -> Row in
                    let number = round * 40 + sender * 10 + row
                    return Row(time: Int64(number), bits: [Double(number).bitPattern, UInt64(number), 1])
                }
            }
        }
        Self.append(rows, to: &block)
        #expect(block.arePagesSorted && block.pages.count == 17)
        #expect(block.numbers(ofColumn: 1, from: 0, to: 1200).values == (0..<1200).map(Double.init))
        #expect(block.numbers(ofColumn: 1, from: 1150, to: 1190).values == (1150..<1190).map(Double.init))
        let known = block.statistics(ofColumn: 1)
        #expect(known.map(\.count) == Array(repeating: 64, count: 17))
        #expect(known[2].minimum == 128 && known[2].maximum == 191 && known[2].mean == 159.5)
        #expect(known[2].firstTime == 128 && known[2].lastTime == 191)
        Self.append((1200..<1300).map { Row(time: $0, bits: [0, 7, 1]) }, to: &block)
        #expect(block.statistics(ofColumn: 1).prefix(17) == known[...])
        #expect(block.statistics(ofColumn: 1).count == block.pages.count)
    }

    private static func row(_ number: Int) -> Row {
        Row(time: Int64(number), bits: [Double(number).bitPattern, UInt64(number), 1])
    }

    @Test func `rows of a sender that was held up come into the pages where they belong`() {
        var block = OpenBlock(layout: Self.layout(hasPresence: false))
        Self.append((0..<1000).filter { !(300..<420).contains($0) }.map(Self.row), to: &block)
        let known = block.statistics(ofColumn: 1)
        let before = block
        Self.append((300..<420).map(Self.row) + (1000..<1200).map(Self.row), to: &block)
        #expect(block.arePagesSorted && block.isSorted && block.pages.count == 17)
        #expect(block.numbers(ofColumn: 1, from: 290, to: 430).values == (290..<430).map(Double.init))
        #expect(block.statistics(ofColumn: 1).map(\.minimum) == (0..<17).map { Double($0 * 64) })
        #expect(block.statistics(ofColumn: 1).map(\.maximum) == (0..<17).map { Double($0 * 64 + 63) })
        #expect(block.time(block.newestRow) == 1199)
        // Whoever looked before sees what there was.
        #expect(
            before.numbers(ofColumn: 1, from: 290, to: 430).values
                == (Array(290..<300) + Array(420..<430)).map(Double.init))
        #expect(before.statistics(ofColumn: 1) == known)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6])
    func `whatever is held up and by how much, a column answers what was added`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // Each row once, some stretches of them later than the others.
        var waiting: [(place: Int, numbers: Range<Int>)] = []
        var start = 0
        while start < 6000 {
            let end = min(6000, start + 1 + Int(generator.next() % 90))
            let delay = generator.next() % 12 == 0 ? Int(generator.next() % (seed % 2 == 0 ? 600 : 6000)) : 0
            waiting.append((start + delay, start..<end))
            start = end
        }
        let numbers = waiting.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .flatMap { Array($0.element.numbers) }
        var block = OpenBlock(layout: Self.layout(hasPresence: false))
        var copies: [(OpenBlock, Set<Int>)] = []
        var added: Set<Int> = []
        for start in stride(from: 0, to: 6000, by: 50) {
            Self.append(numbers[start..<start + 50].map(Self.row), to: &block)
            added.formUnion(numbers[start..<start + 50])
            if generator.next() % 8 == 0 { copies.append((block, added)) }
            if generator.next() % 4 == 0 { _ = block.statistics(ofColumn: 1) }
        }
        copies.append((block, added))
        #expect(seed % 2 == 1 || block.arePagesSorted, "delays of 600 rows are made good")
        for (block, added) in copies {
            let sorted = added.sorted()
            #expect(block.numbers(ofColumn: 1, from: .min, to: .max).values == sorted.map(Double.init))
            #expect(block.time(block.newestRow) == sorted.last.map(Int64.init))
            let from = Int64(generator.next() % 6000)
            #expect(
                block.numbers(ofColumn: 1, from: from, to: from + 300).times
                    == sorted.map(Int64.init).filter { (from..<from + 300).contains($0) })
            for (page, known) in block.statistics(ofColumn: 1).prefix(block.pages.count).enumerated() {
                var found = WindowAggregate()
                block.withNumbers(ofColumn: 1, inRows: page * 64..<page * 64 + 64) { found.add($0, $1, .everything) }
                #expect(known == found)
            }
        }
    }

    @Test func `rows that are far out of order are put in order too`() {
        var block = OpenBlock(layout: Self.layout(hasPresence: false))
        let rows = (0..<1000).map { Row(time: Int64(999 - $0), bits: [Double($0).bitPattern, UInt64($0), 1]) }
        Self.append(rows, to: &block)
        let numbers = block.numbers(ofColumn: 1, from: 0, to: 1000)
        #expect(numbers.times == Array(0..<1000))
        #expect(numbers.values == (0..<1000).map { Double(999 - $0) })
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func `windows over open rows are those of a walk over what was added`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let layout = Self.layout(hasPresence: seed % 2 == 0)
        var block = OpenBlock(layout: layout)
        // From a handful of rows behind no page to many pages; the last seeds come in order.
        let rows = Self.rows(
            [40, 700, 1500][Int(seed % 3)], hasPresence: layout.hasPresence, isSorted: seed > 6, using: &generator)
        Self.append(rows, to: &block)
        let planned = PlannedGroup(
            group: layout.group, entries: layout.columns.map(\.series),
            snapshot: SeriesMemory.Snapshot(chunks: [], blocks: [block], newest: []))
        for _ in 0..<20 {
            let start = Int64(generator.next() % 2000) - 100
            let range = start..<start + 1 + Int64(generator.next() % 3000)
            let step = 1 + Int64(generator.next() % 700)
            let query = WindowQuery(
                SeriesSelection(
                    [],
                    range: TimeRange(
                        Timestamp(microseconds: range.lowerBound), Timestamp(microseconds: range.upperBound))),
                step: Span(microseconds: step), aggregates: [.count, .sum, .minimum, .maximum, .first, .last])
            var found: [SeriesWindows] = []
            try GroupFolder(query, QueryBudget(samples: 1 << 20, windows: 1 << 20)).fold(planned, into: &found)
            for column in Self.kinds.indices {
                let numbers = Self.expected(rows, column, range).sorted { $0.key < $1.key }
                let wanted = Dictionary(grouping: numbers) { ($0.key - start) / step }
                let windows = found.first { $0.identity.metric == "m\(column)" }
                let starts = wanted.keys.sorted()
                #expect((windows?.starts ?? []).map(\.microseconds) == starts.map { start + $0 * step })
                guard let windows else { continue }
                for (place, window) in starts.enumerated() {
                    let values = (wanted[window] ?? []).map(\.value)
                    let known = windows.windows[place].known
                    #expect(known.count == values.count && abs(known.sum - values.reduce(0, +)) < 1e-6)
                    #expect(known.minimum == values.min() && known.maximum == values.max())
                    #expect(known.first == values.first && known.last == values.last)
                }
            }
        }
    }

    @Test func `a question about more samples or windows than it may read is refused`() {
        var block = OpenBlock(layout: Self.layout(hasPresence: false))
        Self.append((0..<500).map(Self.row), to: &block)
        let planned = PlannedGroup(
            group: block.layout.group, entries: block.layout.columns.map(\.series),
            snapshot: SeriesMemory.Snapshot(chunks: [], blocks: [block], newest: []))
        let query = WindowQuery(
            SeriesSelection([], range: TimeRange(Timestamp(microseconds: 0), Timestamp(microseconds: 500))),
            step: Span(microseconds: 10), aggregates: [.sum])
        for budget in [QueryBudget(samples: 100, windows: 1000), QueryBudget(samples: 10_000, windows: 60)] {
            var found: [SeriesWindows] = []
            #expect(throws: StoreError.self) { try GroupFolder(query, budget).fold(planned, into: &found) }
        }
    }
}
