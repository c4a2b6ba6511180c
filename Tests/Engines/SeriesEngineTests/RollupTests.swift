import Foundation
import StoreContracts
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Windows that rollups answer, held against the same readings folded one by one.
@Suite struct RollupTests {
    private static let hour: Int64 = 3_600_000_000
    private static let day: Int64 = 24 * hour
    private static let scope = AccessScope(tenant: TenantID(high: 1, low: 1))

    /// Readings of one series, and what plain folding makes of them.
    private struct Model {
        var values: [Int64: Double] = [:]

        func windows(_ start: Int64, _ end: Int64, _ step: Int64) -> [(Int64, WindowAggregate)] {
            var result: [Int64: WindowAggregate] = [:]
            for (time, value) in values.sorted(by: { $0.key < $1.key })
            where time >= start && time < end && value.bitPattern != WindowAggregate.staleBits {
                result[(time - start) / step, default: WindowAggregate()].add(time, value)
            }
            return result.sorted { $0.key < $1.key }.map { (start + $0.key * step, $0.value) }
        }
    }

    private static func append(
        _ engine: SeriesEngine, _ metric: String, _ readings: [Int64: Double], isOrdered: Bool = true
    ) async throws {
        // A dictionary has no order.
        let sorted = isOrdered ? readings.sorted { $0.key < $1.key } : readings.map { $0 }
        let table = ReadingTable(
            source: SeriesSource(device: nil), times: sorted.map(\.key),
            columns: [ReadingColumn(field: metric, values: .floats(sorted.map(\.value)))])
        _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: scope)
    }

    private static func query(
        _ metric: String, _ start: Int64, _ end: Int64, _ step: Int64,
        _ aggregates: [WindowQuery.Aggregate] = WindowQuery.Aggregate.allCases
    ) -> WindowQuery {
        WindowQuery(
            SeriesSelection(
                [.metric(metric)], range: TimeRange(Timestamp(microseconds: start), Timestamp(microseconds: end))),
            step: Span(microseconds: step), aggregates: aggregates)
    }

    private static func compare(
        _ engine: SeriesEngine, _ metric: String, _ model: Model, _ start: Int64, _ end: Int64, _ step: Int64,
        _ comment: String, _ aggregates: [WindowQuery.Aggregate] = WindowQuery.Aggregate.allCases
    ) async throws {
        let found = try await engine.windows(query(metric, start, end, step, aggregates), in: scope).first
        let wanted = model.windows(start, end, step)
        let comment = "\(comment): from \(start) to \(end) by \(step)"
        #expect((found?.starts ?? []).map(\.microseconds) == wanted.map(\.0), "\(comment)")
        guard let found, found.starts.count == wanted.count else { return }
        for (column, aggregate) in aggregates.enumerated() {
            for index in wanted.indices {
                let (have, want) = (found.values[column][index], wanted[index].1[aggregate])
                #expect(Self.isNear(have, want), "\(aggregate) \(comment): \(have), not \(want)")
            }
        }
    }

    @Test func `a column that is dense by the hour has rollups by the hour, a thin one has none`() async throws {
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine()
        var readings: [Int64: Double] = [:]
        for index in 0..<12_000 { readings[Int64(index) * 4_000_000] = Double(index % 77) }
        try await Self.append(engine, "dense", readings)
        let source = SeriesSource(device: nil, labels: ["other": "one"])
        let thin = ReadingTable(
            source: source, times: [0, Self.day], columns: [ReadingColumn(field: "thin", values: .floats([1, 2]))])
        _ = try await engine.append(ReadingBatch(tables: [thin], arrival: Timestamp(seconds: 1)), in: Self.scope)
        try await engine.seal()
        let chunks = try engine.store.chunkFiles.flatMap { try $0.references() }
        #expect(chunks.map(\.rollups).contains(RollupSet(.hour)))
        #expect(chunks.map(\.rollups).contains([]))
        try await Self.compare(engine, "dense", Model(values: readings), 0, Self.day, Self.hour, "dense")
        // A limit that the readings are far beyond shows that they were not read.
        var query = Self.query("dense", 0, Self.day, Self.hour)
        query.selection.sampleLimit = 100
        #expect(try await engine.windows(query, in: Self.scope).first?.starts.count == 14)
        await opened.end()
    }

    /// Late readings, overwrites, removals, sealing and restarts in a seeded order, on dense readings.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `windows are those of the readings, whatever came late, was overwritten or removed`(_ seed: UInt64)
        async throws
    {
        var random = SeededGenerator(seed: seed)
        let opened = OpenedEngine(folder: TemporaryFolder())
        var engine = try await opened.engine()
        var model = Model()
        for round in 0..<40 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: engine = try await opened.engine()
            case 1...2: try await engine.seal()
            case 3:
                let start = Int64.random(in: 0..<4000, using: &random) * 60_000_000
                let end = start + Int64.random(in: 1..<300, using: &random) * 60_000_000
                let before = model.values.count
                model.values = model.values.filter { $0.key < start || $0.key >= end }
                let removed = try await engine.delete(Self.query("a", start, end, 1).selection, in: Self.scope)
                #expect(removed == before - model.values.count, "seed \(seed) round \(round)")
            default:
                let start = Int64.random(in: 0..<3000, using: &random) * 60_000_000
                var readings: [Int64: Double] = [:]
                for index in 0..<Int.random(in: 1..<6000, using: &random) {
                    readings[start + Int64(index) * 2_500_000] = Self.value(using: &random)
                }
                model.values.merge(readings) { $1 }
                try await Self.append(engine, "a", readings, isOrdered: Bool.random(using: &random))
            }
            for step in [60_000_000, Self.hour, 6 * Self.hour, Self.day, 7 * 60_000_000] as [Int64] {
                // One microsecond later is how PromQL asks: without the start of a stretch, with its end.
                let start =
                    ([0, Self.day, 90 * 60_000_000] as [Int64]).randomElement(using: &random) ?? 0
                    + Int64.random(in: 0...1, using: &random)
                let span = [Int64.random(in: 1..<4000, using: &random) * 61_000_000, 2 * Self.day]
                let end = start + (span.randomElement(using: &random) ?? 0)
                let aggregates = Self.someAggregates.randomElement(using: &random) ?? []
                try await Self.compare(
                    engine, "a", model, start, end, step, "seed \(seed) round \(round)", aggregates)
            }
        }
        await opened.end()
    }

    private static let someAggregates: [[WindowQuery.Aggregate]] = [
        WindowQuery.Aggregate.allCases, [.count, .sum, .average, .minimum, .maximum], [.count, .last, .lastTime],
        [.maximum], [.increase], [.first, .count], [.average],
    ]

    /// Decimals, and at times what is no number or ends a series.
    private static func value(using random: inout SeededGenerator) -> Double {
        switch Int.random(in: 0..<4000, using: &random) {
        case 0: .nan
        case 1: Double(bitPattern: WindowAggregate.staleBits)
        case 2: -.infinity
        case 3: 1e15
        default: Double(Int.random(in: 0..<999, using: &random)) / 10
        }
    }

    @Test func `rollups answer windows that hold their end instead of their start`() async throws {
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine()
        var readings: [Int64: Double] = [:]
        for index in 0..<12_000 { readings[Int64(index) * 4_000_000] = Double((index + 5) % 77) }
        try await Self.append(engine, "dense", readings)
        try await engine.seal()
        let aggregates: [WindowQuery.Aggregate] = [.count, .sum, .average, .minimum, .maximum, .last, .lastTime]
        try await Self.compare(
            engine, "dense", Model(values: readings), 1, Self.day + 1, Self.hour, "dense", aggregates)
        // A limit that the readings are far beyond shows that they were not read.
        var query = Self.query("dense", 1, Self.day + 1, Self.hour, aggregates)
        query.selection.sampleLimit = 100
        #expect(try await engine.windows(query, in: Self.scope).first?.starts.count == 14)
        await opened.end()
    }

    // MARK: - What outlives its readings

    private static let kept = SeriesRetention(
        RetentionBounds(hot: .age(.days(7))),
        rollups: RollupBounds(minute: .age(.days(30)), hour: .age(.days(365)), day: .forever))

    /// Time goes on, readings go, late ones come, ranges are removed, the engine restarts: by whole minutes, hours and days
    /// the answers stay those of all readings that there ever were.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `what is kept of readings that went answers as they did`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let opened = OpenedEngine(folder: TemporaryFolder())
        var engine = try await opened.engine()
        engine.keep { _, _ in Self.kept }
        var model = Model()
        var today: Int64 = 0
        for round in 0..<40 {
            let comment = "seed \(seed) round \(round) day \(today)"
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                engine = try await opened.engine()
                engine.keep { _, _ in Self.kept }
            case 1: try await engine.seal()
            case 2...3:
                _ = try await engine.applyRetention(at: Timestamp(microseconds: today * Self.day), isDryRun: false)
            case 4:
                // By whole minutes of the last thirty days: what is left is known exactly.
                let start = max(0, today - 25) * Self.day + Int64.random(in: 0..<20_000, using: &random) * 60_000_000
                let end = start + Int64.random(in: 1..<2000, using: &random) * 60_000_000
                let before = model.values.count
                model.values = model.values.filter { $0.key < start || $0.key >= end }
                let removed = try await engine.delete(Self.query("a", start, end, 1).selection, in: Self.scope)
                #expect(removed == before - model.values.count, "\(comment)")
            default:
                // Never a time that was there before: what went cannot be overwritten.
                var fresh: [Int64: Double] = [:]
                let from = Int.random(in: 0..<3, using: &random) == 0 ? max(0, today - 12) : today
                for _ in 0..<Int.random(in: 1..<400, using: &random) {
                    let time = from * Self.day + Int64.random(in: 0..<Self.day, using: &random)
                    let value = Double(Int.random(in: 0..<999, using: &random)) / 10
                    if model.values[time] == nil { fresh[time] = value }
                }
                model.values.merge(fresh) { $1 }
                try await Self.append(engine, "a", fresh)
                today += Int64.random(in: 0..<3, using: &random)
            }
            for step in [Self.day, 7 * Self.day, Self.hour, 60_000_000] as [Int64] {
                let length: Int64 = step == 60_000_000 ? 20 : 60
                let later = Int64.random(in: 0...1, using: &random)
                let start = max(0, today - length) * Self.day + later
                try await Self.compareKept(engine, model, start, (today + 1) * Self.day + later, step, comment)
            }
        }
        await opened.end()
    }

    private static func isNear(_ have: Double, _ want: Double) -> Bool {
        have == want || have.isNaN && want.isNaN || abs(have - want) <= 1e-6 * max(1, abs(want))
    }

    private static func compareKept(
        _ engine: SeriesEngine, _ model: Model, _ start: Int64, _ end: Int64, _ step: Int64, _ comment: String
    ) async throws {
        let found = try await engine.windows(query("a", start, end, step), in: scope).first
        let wanted = model.windows(start, end, step)
        let comment = "\(comment) from \(start) to \(end) by \(step)"
        #expect((found?.starts ?? []).map(\.microseconds) == wanted.map(\.0), "\(comment)")
        guard let found, found.starts.count == wanted.count else { return }
        // A late reading among others that went leaves the resets inexact.
        for (column, aggregate) in WindowQuery.Aggregate.allCases.enumerated()
        where ![.increase, .rate].contains(aggregate) {
            for index in wanted.indices {
                let (have, want) = (found.values[column][index], wanted[index].1[aggregate])
                #expect(Self.isNear(have, want), "\(aggregate) \(comment): \(have), not \(want)")
            }
        }
    }

    @Test func `rollups that are written while their readings are still there count once after a crash`() async throws {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let engine = try await opened.engine()
        engine.keep { _, _ in Self.kept }
        var model = Model()
        for index in 0..<5000 { model.values[Int64(index) * 17_000_000] = Double(index % 91) }
        try await Self.append(engine, "a", model.values)
        try await engine.seal()
        let file = try #require(engine.store.chunkFiles.first)
        let group = try #require(engine.catalogue.allGroups.first)
        let chunks = engine.memory.frozen(group).chunks
        let leaving = SeriesEngine.Leaving(
            group: group, chunks: chunks, series: Set(chunks.flatMap { $0.columns.map(\.series) }))
        #expect(throws: StoreError.self) {
            try engine.letGo([leaving], of: file, at: Timestamp(microseconds: 20 * Self.day)) {
                () throws(StoreError) in throw StoreError(.unavailable, "the process ends here")
            }
        }
        try await Self.compare(engine, "a", model, 0, Self.day, Self.hour, "before")
        let again = try await opened.engine()
        #expect(try again.store.chunkFiles.allSatisfy { try $0.references().isEmpty })
        #expect(try again.rollups.files.allSatisfy { try $0.leaving().isEmpty })
        try await Self.compare(again, "a", model, 0, Self.day, Self.hour, "after")
        await opened.end()
    }

    @Test func `a rollup of version 1 is read`() throws {
        let columns = Self.golden
        let bytes = try #require(Data(base64Encoded: Self.goldenBytes))
        let content = try RollupContent([UInt8](bytes), .hour)
        #expect(content.series.sorted() == columns.map(\.series))
        for (series, buckets) in columns {
            let found = try #require(try content.buckets(series))
            #expect(found.count == buckets.count)
            for (left, right) in zip(found, buckets) {
                #expect(left.count == right.count)
                #expect(left.firstTime == right.firstTime && left.lastTime == right.lastTime)
                for aggregate in WindowQuery.Aggregate.allCases {
                    #expect(abs(left[aggregate] - right[aggregate]) < 1e-9, "\(aggregate)")
                }
            }
        }
        #expect(throws: ByteReader.Malformed.self) {
            var broken = [UInt8](bytes)
            broken[20] ^= 1
            _ = try RollupContent(broken, .hour)
        }
    }

    private static let golden: [(series: UInt32, buckets: [WindowAggregate])] = [3, 9].map { series in
        let times = (0..<500).map { 1_700_000_000_000_000 + Int64($0) * 37_000_000 }
        let values = times.indices.map { Double(($0 * Int(series)) % 23) / 4 }
        return (UInt32(series), Rollup.buckets(NumberColumn(times: times, values: values), .hour))
    }

    private static let goldenBytes = """
        YNgwjXVE4FYCA9kBBgYCvNI5AgAIAUYGqf/7PgAcAYCJeh7AxZ8vMPYpAAAAAADqMgbA4eQAQEIPAB8BgOe+tAkgAFLOiUB5JonAM7OKAFsLik\
        CCY4kAAAAADQIAAQAKADRYFDIA3AUADAIAAWQJkJEtEa4PAAADEAAAAAQBAABuABMCAAHSnAEPHSnvH8wwUJjpAwAAABACAAG0KQ0b6AmiQSEn\
        5AAAADoQAdyCoceViHo/YMTB57buaEAqPGjaGSMMwKnQfdxHMwCgu+UEoykLAAAAAAAAAAAAEHUd3X8wRwEAAgnaAQYGArzSOQIACAFGBqn/+z\
        4AHAGAiXoewMWfLzD2KQAAAAAA6jIGwOHkAEBCDwAfAYDnvrQJIABSzolAeSaJwDOzigBbC4pAgmOJAAAAAA0CAAEACgCkBlkGAJgIAAwCAAGs\
        AggyGeHIrwAAAxAAAAAEAQAAbgATAgABvJsBD3sq6SCz8BcoBAQAAAARAgAB5GQOLBpzqpnGn9gnAAAAOhABqoGj24qYCD8/d5wIY3FqwAybsY\
        KODA3AAGTx9sECAIDJ0XXOQgAAAAAAAAAAAAAohOFidshFAQAC
        """
}
