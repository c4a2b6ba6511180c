import Foundation
import StoreContracts
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

@Suite struct SealingTests {
    @Test(arguments: SeriesContract.clauses)
    func `the contract holds when every batch is sealed at once`(_ clause: SeriesContract.Clause) async throws {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let store = SealingStore(engine: try await opened.engine())
        try await clause.check(SeriesSubject(store) { SealingStore(engine: try await opened.engine()) })
        await opened.end()
    }

    /// Many operations in a seeded order, held against a dictionary after each restart and seal.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `appends, seals, removals and restarts in any order leave what a plain model says`(_ seed: UInt64) async throws
    {
        var random = SeededGenerator(seed: seed)
        let opened = OpenedEngine(folder: TemporaryFolder())
        var engine = try await opened.engine()
        let scope = AccessScope(tenant: TenantID(high: 1, low: seed))
        var model: [String: [Int64: ReadingValue]] = [:]
        for round in 0..<150 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0: engine = try await opened.engine()
            case 1...3: try await engine.seal()
            case 6: try await engine.compact()
            case 7: try await engine.compactChunks(.growing)
            case 4...5:
                let metric = "m\(Int.random(in: 0..<4, using: &random))"
                let start = Int64.random(in: 0..<90, using: &random) * 86_400_000_000
                let end = start + Int64.random(in: 1..<20, using: &random) * 86_400_000_000
                let selection = SeriesSelection(
                    [.metric(metric)], range: TimeRange(Timestamp(microseconds: start), Timestamp(microseconds: end)))
                let removed = try await engine.delete(selection, in: scope)
                let before = model[metric]?.count ?? 0
                model[metric] = model[metric]?.filter { $0.key < start || $0.key >= end }
                #expect(removed == before - (model[metric]?.count ?? 0), "seed \(seed) round \(round)")
            default:
                let batch = Self.batch(&random, &model)
                _ = try await engine.append(batch, in: scope)
            }
            if round % 10 == 9 {
                let found = try await Self.all(engine, scope)
                #expect(found == model.filter { !$0.value.isEmpty }, "seed \(seed) round \(round)")
            }
        }
        await opened.end()
    }

    private static func batch(
        _ random: inout SeededGenerator, _ model: inout [String: [Int64: ReadingValue]]
    ) -> ReadingBatch {
        var tables: [ReadingTable] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let count = Int.random(in: 1...40, using: &random)
            let times = (0..<count).map { _ in Int64.random(in: 0..<2160, using: &random) * 3_600_000_000 }
            let columns = (0..<Int.random(in: 1...3, using: &random)).map { index -> ReadingColumn in
                let present = (0..<count).map { _ in Int.random(in: 0..<4, using: &random) > 0 }
                let values: ReadingColumn.Values =
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: .integers((0..<count).map { _ in Int64.random(in: -9...9, using: &random) })
                    case 1: .texts((0..<count).map { _ in "t\(Int.random(in: 0..<9, using: &random))" })
                    case 2: .booleans((0..<count).map { _ in Bool.random(using: &random) })
                    default: .floats((0..<count).map { _ in Double(Int.random(in: 0..<999, using: &random)) / 10 })
                    }
                return ReadingColumn(field: "m\(index)", values: values, present: present)
            }
            for column in columns {
                for row in 0..<count {
                    if let value = column[row] { model[column.field, default: [:]][times[row]] = value }
                }
            }
            tables.append(ReadingTable(source: SeriesSource(device: nil), times: times, columns: columns))
        }
        return ReadingBatch(tables: tables, arrival: Timestamp(seconds: 1))
    }

    private static func all(
        _ engine: SeriesEngine, _ scope: AccessScope
    ) async throws -> [String: [Int64: ReadingValue]] {
        let cursor = try await engine.samples(SeriesSelection([]), in: scope)
        var result: [String: [Int64: ReadingValue]] = [:]
        var last: [String: Int64] = [:]
        while let piece = try await cursor.next() {
            for sample in piece.samples {
                #expect(sample.time.microseconds > last[piece.identity.metric] ?? .min)
                last[piece.identity.metric] = sample.time.microseconds
                result[piece.identity.metric, default: [:]][sample.time.microseconds] = sample.value
            }
        }
        return result
    }

    /// The same with chunks that are never made one when they are sealed, so that compaction has all to do.
    @Test(arguments: [5, 6] as [UInt64])
    func `compaction among appends and removals changes no reading`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var configuration = SeriesConfiguration()
        configuration.smallChunkSamplesMax = 1
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine(configuration: configuration)
        let scope = AccessScope(tenant: TenantID(high: 1, low: seed))
        var model: [String: [Int64: ReadingValue]] = [:]
        for round in 0..<60 {
            _ = try await engine.append(Self.batch(&random, &model), in: scope)
            try await engine.seal()
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try await engine.compact()
            case 1...3: try await engine.compactChunks(.growing, samplesMax: 200)
            default: break
            }
            let found = try await Self.all(engine, scope)
            #expect(found == model.filter { !$0.value.isEmpty }, "seed \(seed) round \(round)")
        }
        await opened.end()
    }

    @Test func `sealing cuts the log and makes the data small`() async throws {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let engine = try await opened.engine()
        let scope = AccessScope(tenant: TenantID(high: 1, low: 1))
        let count = 50_000
        let times = (0..<count).map { Int64($0) * 10_000_000 }
        let columns = (0..<4).map { field in
            ReadingColumn(field: "f\(field)", values: .floats((0..<count).map { Double(($0 / 7 + field) % 500) / 10 }))
        }
        let table = ReadingTable(source: SeriesSource(device: nil), times: times, columns: columns)
        _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: scope)
        let before = try await engine.statistics()
        try await engine.seal()
        await opened.end()
        let after = try await opened.engine().statistics()
        #expect(after.sampleCount == count * 4)
        #expect(after.diskBytes < before.diskBytes / 4)
        #expect(after.memoryBytes == 0)
        await opened.end()
    }
}

/// Seals after every append, so that everything is read from chunks.
struct SealingStore: SeriesStore {
    let engine: SeriesEngine

    func append(_ batch: ReadingBatch, in scope: AccessScope) async throws(StoreError) -> LogPosition {
        let position = try await engine.append(batch, in: scope)
        try await engine.seal()
        return position
    }

    func samples(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> any SampleCursor {
        try await engine.samples(selection, in: scope)
    }

    func windows(_ query: WindowQuery, in scope: AccessScope) async throws(StoreError) -> [SeriesWindows] {
        try await engine.windows(query, in: scope)
    }

    func latest(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>?, in scope: AccessScope
    ) async throws(StoreError) -> [LatestSample] {
        try await engine.latest(matchers, devices: devices, in: scope)
    }

    func series(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> [SeriesIdentity] {
        try await engine.series(selection, in: scope)
    }

    func labelNames(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Set<String> {
        try await engine.labelNames(selection, in: scope)
    }

    func labelValues(
        of name: String, _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<String> {
        try await engine.labelValues(of: name, selection, in: scope)
    }

    func devices(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Set<DeviceID> {
        try await engine.devices(selection, in: scope)
    }

    func delete(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Int {
        try await engine.delete(selection, in: scope)
    }

    func deleteTenant(in scope: AccessScope) async throws(StoreError) { try await engine.deleteTenant(in: scope) }
    func statistics() async throws(StoreError) -> SeriesStatistics { try await engine.statistics() }
    func close() async { await engine.close() }
}
