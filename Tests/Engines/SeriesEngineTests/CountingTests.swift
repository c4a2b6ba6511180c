import StoreContracts
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// What is answered from rows, chunks and what is known of them, held against the samples one by one.
@Suite struct CountingTests {
    private static let scope = AccessScope(tenant: TenantID(high: 1, low: 1))

    /// Readings of three devices that come late, twice and in any order; some are no numbers, some end a series.
    private static func batch(using random: inout SeededGenerator) -> ReadingBatch {
        let tables = (0..<3).map { device in
            let start = Int64.random(in: 0..<20_000, using: &random) * 1_000_000
            var times = (0..<Int.random(in: 1..<900, using: &random)).map { start + Int64($0) * 1_000_000 }
            if Bool.random(using: &random) { times.shuffle(using: &random) }
            if Bool.random(using: &random) { times += times.prefix(3) }
            let isText = Int.random(in: 0..<12, using: &random) == 0
            let values: ReadingColumn.Values =
                isText
                ? .texts(times.map { "t\($0 % 3)" }) : .floats(times.map { _ in value(using: &random) })
            return ReadingTable(
                source: SeriesSource(device: nil, labels: ["device": "d\(device)"]), times: times,
                columns: [
                    ReadingColumn(field: "a", values: values),
                    ReadingColumn(
                        field: "b", values: .integers(times.map { _ in Int64.random(in: 0..<9, using: &random) })),
                ])
        }
        return ReadingBatch(tables: tables, arrival: Timestamp(seconds: 1))
    }

    private static func value(using random: inout SeededGenerator) -> Double {
        switch Int.random(in: 0..<300, using: &random) {
        case 0: .nan
        case 1: Double(bitPattern: WindowAggregate.staleBits)
        case 2: .infinity
        default: Double(Int.random(in: 0..<90, using: &random)) / 10
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `windows over rows of senders that overtake each other are those of the samples`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine()
        for round in 0..<60 {
            // Two senders of a round come in either order, now and then with a row of the round before.
            for sender in (Bool.random(using: &random) ? [0, 1] : [1, 0]) {
                let first = Int64(round * 2 + sender) * 20
                var times = (first..<first + 20).map { $0 * 1_000_000 }
                if seed == 3, Int.random(in: 0..<30, using: &random) == 0 { times.append(times[0] - 30_000_000) }
                let table = ReadingTable(
                    source: SeriesSource(device: nil, labels: ["device": "d0"]), times: times,
                    columns: [
                        ReadingColumn(field: "a", values: .floats(times.map { _ in Self.value(using: &random) })),
                        ReadingColumn(field: "b", values: .integers(times.map { $0 / 1_000_000 })),
                    ])
                _ = try await engine.append(
                    ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
            }
        }
        for (start, end) in [(0, 2_400), (128, 1_280), (100, 2_390), (1_000, 1_001), (0, 90_000)] as [(Int64, Int64)] {
            let range = TimeRange(Timestamp(seconds: start), Timestamp(seconds: end))
            try await Self.compare(engine, range, "seed \(seed) from \(start) to \(end)")
        }
        await opened.end()
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `counts, lists and windows are those of the samples, wherever they lie`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let opened = OpenedEngine(folder: TemporaryFolder())
        var engine = try await opened.engine()
        for round in 0..<30 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: engine = try await opened.engine()
            case 1: try await engine.seal()
            default: _ = try await engine.append(Self.batch(using: &random), in: Self.scope)
            }
            let start = Int64.random(in: 0..<21_000, using: &random) * 1_000_000
            let length = ([1, 3_000_000, 900_000_000, 90_000_000_000] as [Int64]).randomElement(using: &random) ?? 1
            let range = TimeRange(
                Timestamp(microseconds: start), Timestamp(microseconds: start + length))
            try await Self.compare(engine, range, "seed \(seed) round \(round) from \(start) for \(length)")
        }
        await opened.end()
    }

    @Test func `what questions keep of chunks stays within its bound, and never outlives a removal`() async throws {
        let opened = OpenedEngine(folder: TemporaryFolder())
        var configuration = SeriesConfiguration()
        configuration.keptContentBytesMax = 100_000
        let engine = try await opened.engine(configuration: configuration)
        func query(_ last: Int64) -> WindowQuery {
            WindowQuery(
                SeriesSelection([.metric("a")], range: TimeRange(Timestamp(seconds: 0), Timestamp(seconds: last))),
                step: .seconds(7), aggregates: [.count, .sum])
        }
        for device in 0..<40 {
            let times = (0..<200).map { Int64($0) * 1_000_000 }
            let table = ReadingTable(
                source: SeriesSource(device: nil, labels: ["device": "d\(device)"]), times: times,
                columns: [ReadingColumn(field: "a", values: .floats(times.map { Double($0 / 1_000_000 % 13) }))])
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
        }
        let before = try await engine.windows(query(200), in: Self.scope)
        try await engine.seal()
        for _ in 0..<3 { #expect(try await engine.windows(query(200), in: Self.scope) == before) }
        #expect(engine.contents.byteCount == 0, "what would take more than half is not kept")
        var one = query(200)
        for device in 0..<40 {
            one.selection.matchers = [.metric("a"), LabelMatcher("device", .equal, "d\(device)")]
            for _ in 0..<2 {
                let found = try await engine.windows(one, in: Self.scope)
                #expect(found == before.filter { $0.identity.labels["device"] == "d\(device)" })
            }
            #expect(engine.contents.byteCount > 0 && engine.contents.byteCount <= 110_000)
        }
        let removed = try await engine.delete(one.selection, in: Self.scope)
        #expect(removed == 200)
        #expect(try await engine.windows(one, in: Self.scope).isEmpty)
        #expect(try await engine.windows(query(200), in: Self.scope).count == 39)
        await opened.end()
    }

    private static func compare(_ engine: SeriesEngine, _ range: TimeRange, _ comment: String) async throws {
        var samples: [SeriesIdentity: [Sample]] = [:]
        let cursor = try await engine.samples(SeriesSelection([], range: range), in: scope)
        while let piece = try await cursor.next() { samples[piece.identity, default: []] += piece.samples }
        let listed = try await engine.series(SeriesSelection([], range: range), in: scope)
        #expect(Set(listed) == Set(samples.keys), "\(comment)")
        for condition in [.above(4.5), .below(2), .above(-1), .above(100)] as [NumberCondition] {
            let wanted = samples.values.joined().count { $0.value.number.map(condition.holds) ?? false }
            let found = try await engine.count(SeriesSelection([], range: range), where: condition, in: scope)
            #expect(found == wanted, "\(comment): \(condition)")
        }
        for step in [300, 100_000] as [Int64] {
            try await compareWindows(engine, range, .seconds(step), samples, comment)
        }
    }

    private static func compareWindows(
        _ engine: SeriesEngine, _ range: TimeRange, _ step: Span, _ samples: [SeriesIdentity: [Sample]],
        _ comment: String
    ) async throws {
        let query = WindowQuery(
            SeriesSelection([], range: range), step: step, aggregates: [.count, .maximum, .last, .increase])
        var counted = 0
        for series in try await engine.windows(query, in: scope) {
            for (number, start) in series.starts.enumerated() {
                var plain = WindowAggregate()
                for sample in samples[series.identity] ?? [] where sample.time >= start && sample.time < start + step {
                    if let number = sample.value.number { plain.add(sample.time.microseconds, number) }
                }
                counted += plain.count
                for (column, aggregate) in query.aggregates.enumerated() {
                    let (have, want) = (series.values[column][number], plain[aggregate])
                    #expect(
                        have == want || have.isNaN && want.isNaN || abs(have - want) < 1e-9 * abs(want),
                        "\(comment): \(aggregate) at \(start) by \(step) is \(have), not \(want)")
                }
            }
        }
        let numbers = samples.values.joined().count { sample in
            sample.value.number.map { $0.bitPattern != WindowAggregate.staleBits } ?? false
        }
        #expect(counted == numbers, "\(comment): by \(step)")
    }
}
