import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Small and overlapping chunks that become full ones.
@Suite struct CompactionTests {
    private static let scope = AccessScope(tenant: TenantID(high: 1, low: 1))
    private static let minute: Int64 = 60_000_000
    private static func configuration() -> SeriesConfiguration {
        var configuration = SeriesConfiguration()
        configuration.smallChunkSamplesMax = 1
        return configuration
    }

    /// A reading a minute of a device with many fields, sealed every few; some come late, some twice.
    private func trickle(
        _ engine: SeriesEngine, fields: Int, seals: Int, base: Int64 = 0
    ) async throws -> [String: [Int64: ReadingValue]] {
        var random = SeededGenerator(seed: UInt64(fields))
        var model: [String: [Int64: ReadingValue]] = [:]
        let source = SeriesSource(device: nil)
        for seal in 0..<seals {
            for row in 0..<6 {
                let isLate = Int.random(in: 0..<8, using: &random) == 0
                let number = isLate ? Int.random(in: 0...seal * 6, using: &random) : seal * 6 + row
                let time = base + Int64(number) * Self.minute
                let columns = (0..<fields).map { field -> ReadingColumn in
                    let values: ReadingColumn.Values =
                        switch field % 3 {
                        case 0: .floats([Double(Int.random(in: 0..<300, using: &random)) / 10])
                        case 1: .texts(["t\(Int.random(in: 0..<50, using: &random))"])
                        default: .integers([Int64.random(in: 0..<1000, using: &random)])
                        }
                    return ReadingColumn(field: "f\(field)", values: values)
                }
                for column in columns { model[column.field, default: [:]][time] = column[0] }
                let table = ReadingTable(source: source, times: [time], columns: columns)
                _ = try await engine.append(
                    ReadingBatch(tables: [table], arrival: Timestamp(microseconds: time + 5)), in: Self.scope)
            }
            try await engine.seal()
        }
        return model
    }

    @Test func `definitions are put together where many series came, and all are there after a start`() async throws {
        let folder = TemporaryFolder()
        var engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        // More than one block of definitions, in turns that end in the middle of one.
        for (turn, devices) in [0..<700, 700..<1000, 1000..<1001].enumerated() {
            let tables = devices.map { device in
                ReadingTable(
                    source: SeriesSource(device: DeviceID(high: 3, low: UInt64(device)), labels: ["site": "north"]),
                    times: [Self.minute],
                    columns: (0..<12).map { ReadingColumn(field: "f\($0)", values: .integers([Int64(device)])) })
            }
            let batch = ReadingBatch(tables: tables, arrival: Timestamp(seconds: 1))
            _ = try await engine.append(batch, in: Self.scope)
            try await engine.seal()
            if turn == 0 { await engine.compactInBackground() } else { try await engine.compact() }
            for (_, file) in engine.cataloguePair.files {
                #expect(try file.looseCount() == 0)
                #expect(try file.extent().definitions == Int64(devices.upperBound * 14))
            }
            await engine.close()
            engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
            #expect(engine.remarks.isEmpty && engine.damage.isEmpty)
            #expect(try await engine.latest([], in: Self.scope).count == devices.upperBound * 12)
        }
        await engine.close()
    }

    private func all(_ engine: SeriesEngine) async throws -> [String: [Int64: ReadingValue]] {
        let cursor = try await engine.samples(SeriesSelection([]), in: Self.scope)
        var result: [String: [Int64: ReadingValue]] = [:]
        while let piece = try await cursor.next() {
            for sample in piece.samples {
                result[piece.identity.metric, default: [:]][sample.time.microseconds] = sample.value
            }
        }
        return result
    }

    @Test(arguments: [3, 70, 130])
    func `many small chunks become as few as there can be, and hold the same readings`(_ fields: Int) async throws {
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: Self.configuration())
        let model = try await trickle(engine, fields: fields, seals: 30)
        #expect(try await all(engine) == model)
        let before = try await engine.sizes().reduce(0) { $0 + $1.bytes }
        let latest = try await engine.latest([], in: Self.scope).sorted { $0.identity.metric < $1.identity.metric }
        #expect(engine.figures().chunks >= 30 * ((fields + 63) / 64))
        try await engine.compact()
        #expect(engine.figures().chunks == (fields + 63) / 64)
        #expect(try await all(engine) == model)
        #expect(
            try await engine.latest([], in: Self.scope).sorted { $0.identity.metric < $1.identity.metric } == latest)
        #expect(try await engine.sizes().reduce(0) { $0 + $1.bytes } < before)
        #expect(try await engine.verify().damage.isEmpty)
        // What is compact is left alone.
        #expect(try await engine.compactChunks(.thorough) == 0)
        let work = try #require(engine.figures().works.first { $0.name == "compact" })
        #expect(work.runs == 1 && work.failures == 0 && work.bytes > 0)
        let again = try await opened.engine()
        #expect(try await all(again) == model)
        await opened.end()
    }

    @Test
    func `the background makes overlapping chunks one when others are a quarter of the result, and within its bound`()
        async throws
    {
        // A period that is not over by the clock.
        let base: Int64 = 1_700_000_000_000_000
        var configuration = Self.configuration()
        configuration.compactionSamplesMax = 500
        configuration.compactionStepSamplesMax = 100
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: configuration)
        let model = try await trickle(engine, fields: 70, seals: 12, base: base)
        let chunks = engine.figures().chunks
        #expect(try await engine.compactChunks(.growing, samplesMax: configuration.compactionSamplesMax) >= 500)
        #expect(engine.figures().chunks < chunks)
        for _ in 0..<20 { await engine.compactInBackground() }
        #expect(engine.figures().chunks < 2 * 8)
        #expect(try await all(engine) == model)
        // One small chunk beside a large one is not worth reading the large one.
        let more = ReadingTable(
            source: SeriesSource(device: nil), times: [base + 1000 * Self.minute],
            columns: [ReadingColumn(field: "f0", values: .floats([1]))])
        _ = try await engine.append(ReadingBatch(tables: [more], arrival: Timestamp(seconds: 1)), in: Self.scope)
        try await engine.seal()
        #expect(try await engine.compactChunks(.growing) == 0)
        await opened.end()
    }

    @Test
    func `the background makes eight chunks of like size one, so that a reading is written once for each eightfold`()
        async throws
    {
        let base: Int64 = 1_700_000_000_000_000
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: Self.configuration())
        var (written, most) = (0, 0)
        for seal in 0..<64 {
            let times = (0..<10).map { base + Int64(seal * 10 + $0) * Self.minute }
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: times,
                columns: [ReadingColumn(field: "a", values: .integers(times))])
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
            try await engine.seal()
            written += try await engine.compactChunks(.growing)
            most = max(most, engine.figures().chunks)
        }
        #expect(written > 640 && written <= 2 * 640, "each eight small ones, then some of those")
        #expect(most <= 14)
        #expect(engine.figures().chunks <= 7)
        #expect(try await all(engine)["a"]?.count == 640)
        await opened.end()
    }

    @Test func `a turn in the background leaves no write-ahead log that takes space`() async throws {
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine()
        for _ in 0..<3 {
            _ = try await trickle(engine, fields: 3, seals: 2)
            #expect(try await logBytes(engine) > 0)
            await engine.compactInBackground()
            #expect(try await logBytes(engine) == 0)
        }
        let before = try await all(engine)
        let again = try await opened.engine()
        #expect(try await all(again) == before)
        await opened.end()
    }

    private func logBytes(_ engine: SeriesEngine) async throws -> Int {
        try await engine.sizes().filter { $0.name.hasSuffix("-wal") }.reduce(0) { $0 + $1.bytes }
    }

    @Test func `a seal makes the newest chunk one with what comes where that is little work`() async throws {
        var configuration = SeriesConfiguration()
        configuration.mergingSamplesMax = 20
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: configuration)
        var chunks: [[Int]] = []
        var row = 0
        for count in [5, 8, 8, 8, 100, 400] {
            let times = (row..<row + count).map { Int64($0) * Self.minute }
            row += count
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: times,
                columns: [ReadingColumn(field: "a", values: .integers(times))])
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
            try await engine.seal()
            chunks.append(engine.catalogue.allGroups.flatMap { engine.memory.frozen($0).chunks }.map(\.sampleCount))
        }
        #expect(chunks == [[5], [13], [21], [21, 8], [21, 108], [21, 108, 400]])
        await opened.end()
    }

    @Test func `chunks that are full are left alone, and overlapping ones are cut where they are full`() async throws {
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: Self.configuration())
        let count = ChunkStore.samplesMax
        let columns = { (shift: Int64) in
            [ReadingColumn(field: "a", values: .integers((0..<count).map { Int64($0) * 2 + shift }))]
        }
        // Even seconds, then odd ones among them.
        for shift in [Int64(0), 1] {
            let times = (0..<count).map { (Int64($0) * 2 + shift) * 1_000_000 }
            let table = ReadingTable(source: SeriesSource(device: nil), times: times, columns: columns(shift))
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
            try await engine.seal()
        }
        try await engine.compact()
        let chunks = engine.catalogue.allGroups.flatMap { engine.memory.frozen($0).chunks }
        #expect(chunks.map(\.sampleCount) == [count, count])
        #expect(chunks[0].lastTime < chunks[1].firstTime)
        let found = try await all(engine)["a"]
        #expect(found?.count == count * 2)
        #expect(found?.allSatisfy { $0.value == .integer($0.key / 1_000_000) } == true)
        #expect(try await engine.compactChunks(.thorough) == 0)
        await opened.end()
    }

    @Test func `appends wait for sealing when open rows take twice their memory`() async throws {
        var configuration = SeriesConfiguration()
        configuration.memoryBytesMax = 256 << 10
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: configuration)
        var most = 0
        for batch in 0..<200 {
            let times = (0..<500).map { Int64(batch * 500 + $0) * 1_000_000 }
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: times,
                columns: [ReadingColumn(field: "a", values: .integers(times))])
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
            most = max(most, engine.memory.totals.bytes)
        }
        #expect(most < 4 * configuration.memoryBytesMax, "\(most)")
        #expect(try await engine.statistics().sampleCount == 100_000)
        await opened.end()
    }
}
