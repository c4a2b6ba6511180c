import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Several writers, questions, removals and sealing at the same time, each writer held against a dictionary of its own.
///
/// All series are of one source, so they share chunks: what is made anew for one writer is read by the others.
@Suite struct ConcurrencyTests {
    private static let hour: Int64 = 3_600_000_000

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `what a writer alone changes is what it reads, whatever the others and sealing do`(_ seed: UInt64) async throws
    {
        var configuration = SeriesConfiguration()
        configuration.logBytesMax = 16 << 10
        configuration.memoryBytesMax = 32 << 10
        let folder = TemporaryFolder()
        let engine = try await SeriesEngine.open(
            folder: folder.path, clock: HandClock(), configuration: configuration)
        let scope = AccessScope(tenant: TenantID(high: 2, low: seed))
        let source = SeriesSource(device: nil)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<4 {
                tasks.addTask {
                    var writer = Writer(
                        engine: engine, scope: scope, source: source, metric: "w\(number)",
                        random: SeededGenerator(seed: seed &* 31 &+ UInt64(number)))
                    for round in 0..<60 { try await writer.act("seed \(seed) writer \(number) round \(round)") }
                }
            }
            tasks.addTask {
                for _ in 0..<20 {
                    try await engine.seal()
                    _ = try await engine.latest([], in: scope)
                }
            }
            try await tasks.waitForAll()
        }
        await engine.close()
    }

    private struct Writer {
        let engine: SeriesEngine
        let scope: AccessScope
        let source: SeriesSource
        let metric: String
        var random: SeededGenerator
        var model: [Int64: ReadingValue] = [:]

        mutating func act(_ comment: String) async throws {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try await remove(comment)
            case 1...3: try await compareWindows(comment)
            default: try await append()
            }
            let found = try await read()
            #expect(found == model, "\(comment)")
        }

        private mutating func append() async throws {
            let count = Int.random(in: 1...60, using: &random)
            let times = (0..<count).map { _ in Int64.random(in: 0..<1500, using: &random) * ConcurrencyTests.hour }
            let values: ReadingColumn.Values =
                Bool.random(using: &random)
                ? .integers(times.map { _ in Int64.random(in: -9...9, using: &random) })
                : .floats(times.map { _ in Double(Int.random(in: 0..<999, using: &random)) / 10 })
            let column = ReadingColumn(field: metric, values: values)
            for row in 0..<count { model[times[row]] = column[row] }
            let table = ReadingTable(source: source, times: times, columns: [column])
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: scope)
        }

        private mutating func remove(_ comment: String) async throws {
            let start = Int64.random(in: 0..<1500, using: &random) * ConcurrencyTests.hour
            let end = start + Int64.random(in: 1..<200, using: &random) * ConcurrencyTests.hour
            let before = model.count
            model = model.filter { $0.key < start || $0.key >= end }
            let removed = try await engine.delete(selection(start, end), in: scope)
            #expect(removed == before - model.count, "\(comment)")
        }

        private mutating func compareWindows(_ comment: String) async throws {
            let step = Int64.random(in: 1..<900, using: &random) * ConcurrencyTests.hour
            let (start, end) = (100 * ConcurrencyTests.hour, 1400 * ConcurrencyTests.hour)
            var wanted: [Int64: (count: Double, sum: Double, least: Double, last: Double)] = [:]
            for (time, value) in model.sorted(by: { $0.key < $1.key }) where time >= start && time < end {
                let number = value.number ?? .nan
                var window = wanted[(time - start) / step] ?? (0, 0, .infinity, 0)
                window = (window.count + 1, window.sum + number, min(window.least, number), number)
                wanted[(time - start) / step] = window
            }
            let query = WindowQuery(
                selection(start, end), step: Span(microseconds: step), aggregates: [.count, .sum, .minimum, .last])
            let found = try await engine.windows(query, in: scope).first
            #expect(found?.starts.count ?? 0 == wanted.count, "\(comment)")
            for (index, at) in (found?.starts ?? []).enumerated() {
                guard let values = found?.values, let expected = wanted[(at.microseconds - start) / step] else {
                    Issue.record("a window where nothing is: \(comment)")
                    continue
                }
                #expect(values[0][index] == expected.count, "\(comment)")
                #expect(abs(values[1][index] - expected.sum) < 1e-6, "\(comment)")
                #expect(values[2][index] == expected.least, "\(comment)")
                #expect(values[3][index] == expected.last, "\(comment)")
            }
        }

        private func selection(_ start: Int64, _ end: Int64) -> SeriesSelection {
            SeriesSelection(
                [.metric(metric)], range: TimeRange(Timestamp(microseconds: start), Timestamp(microseconds: end)))
        }

        private func read() async throws -> [Int64: ReadingValue] {
            let cursor = try await engine.samples(SeriesSelection([.metric(metric)]), in: scope)
            var result: [Int64: ReadingValue] = [:]
            while let piece = try await cursor.next() {
                for sample in piece.samples { result[sample.time.microseconds] = sample.value }
            }
            return result
        }
    }

    @Test func `closing twice and asking afterwards is refused and disturbs nobody`() async throws {
        let folder = TemporaryFolder()
        let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        let scope = AccessScope(tenant: TenantID(high: 2, low: 9))
        let table = ReadingTable(
            source: SeriesSource(device: nil), times: [1, 2, 3],
            columns: [ReadingColumn(field: "level", values: .floats([1, 2, 3]))])
        _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: scope)
        try await engine.seal()
        let cursor = try await engine.samples(SeriesSelection([]), in: scope)
        await engine.close()
        await engine.close()
        await #expect(throws: StoreError.self) { _ = try await cursor.next() }
        await #expect(throws: StoreError.self) { try await engine.seal() }
        let again = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        #expect(try await again.latest([], in: scope).first?.sample.value == .float(3))
        await again.close()
    }
}
