import Foundation
import Synchronization
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// The engine on disks that fail: at every operation, each time from the beginning.
@Suite struct FaultTests {
    /// What was sent and what was acknowledged.
    private struct Story {
        var acknowledged: [Int64: Double] = [:]
        var doubtful: [[Int64: Double]] = []
    }

    private static let scope = AccessScope(tenant: TenantID(high: 3, low: 1))

    /// Appends batches of three readings, overwrites some, and seals now and then; stops when the power is gone.
    private static func act(_ engine: SeriesEngine, goesOn: Bool) async -> Story {
        var story = Story()
        for round in 0..<8 {
            let rows = (0..<3).map { Int64(round * 2 + $0) }
            var sent: [Int64: Double] = [:]
            for row in rows { sent[row] = Double(round * 100) + Double(row) }
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: rows,
                columns: [ReadingColumn(field: "level", values: .floats(rows.map { sent[$0] ?? 0 }))])
            do {
                _ = try await engine.append(
                    ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: scope)
                story.acknowledged.merge(sent) { $1 }
            } catch {
                story.doubtful.append(sent)
                if !goesOn { return story }
            }
            if round % 3 == 2 {
                do {
                    try await engine.seal()
                } catch {
                    if !goesOn { return story }
                }
            }
        }
        return story
    }

    private static func open(_ files: FaultFiles) throws -> SeriesEngine {
        try SeriesEngine(
            files: files, folder: files.folder, clock: HandClock(), configuration: SeriesConfiguration())
    }

    private static func read(_ engine: SeriesEngine) async throws -> [Int64: Double] {
        let cursor = try await engine.samples(SeriesSelection([]), in: scope)
        var result: [Int64: Double] = [:]
        while let piece = try await cursor.next() {
            for sample in piece.samples { result[sample.time.microseconds] = sample.value.number }
        }
        return result
    }

    private static func operationCount() async throws -> Int {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let files = FaultFiles(folder: folder.path)
        let engine = try open(files)
        _ = await act(engine, goesOn: false)
        await engine.close()
        return files.operations
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `whenever the power is cut, what was acknowledged is there and nothing that was not sent`(
        _ seed: UInt64
    ) async throws {
        var random = SeededGenerator(seed: seed)
        let count = try await Self.operationCount()
        #expect(count > 30)
        for step in 1...count {
            let folder = TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            let files = FaultFiles(folder: folder.path, fault: .cut(at: step))
            var story = Story()
            if let engine = try? Self.open(files) {
                story = await Self.act(engine, goesOn: false)
                await engine.close()
            }
            let after = FaultFiles(folder: folder.path, files: files.afterCut(&random))
            let engine = try Self.open(after)
            #expect(engine.damage.isEmpty, "seed \(seed) step \(step): a torn tail is no damage")
            let found = try await Self.read(engine)
            var allowed = [story.acknowledged]
            // A batch that was not acknowledged is there whole, or not at all.
            if let last = story.doubtful.last { allowed.append(story.acknowledged.merging(last) { $1 }) }
            #expect(allowed.contains(found), "seed \(seed) step \(step): \(found) of \(allowed)")
            // The store goes on from there.
            let next = await Self.act(engine, goesOn: true)
            #expect(next.doubtful.isEmpty, "seed \(seed) step \(step)")
            await engine.close()
        }
    }

    @Test func `on a disk that is full for a moment, a refused batch leaves nothing, and the next one is stored`()
        async throws
    {
        let count = try await Self.operationCount()
        for step in 1...count {
            let folder = TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
            let files = FaultFiles(folder: folder.path, fault: .full(at: step))
            guard let engine = try? Self.open(files) else { continue }
            let story = await Self.act(engine, goesOn: true)
            #expect(try await Self.read(engine) == story.acknowledged, "step \(step)")
            await engine.close()
            let again = try Self.open(FaultFiles(folder: folder.path, files: files.state.withLock { $0.files }))
            #expect(try await Self.read(again) == story.acknowledged, "step \(step) after a restart")
            await again.close()
        }
    }

    @Test(arguments: [FileNames.log(2), FileNames.catalogue, FileNames.chunks(ChunkPlace(bounds: .forever, period: 0))])
    func `a flipped bit is named or makes no difference, and never a wrong value`(_ name: String) async throws {
        var random = SeededGenerator(seed: 11)
        let (original, copy) = (TemporaryFolder(), TemporaryFolder())
        for folder in [original, copy] {
            try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        }
        let engine = try await SeriesEngine.open(folder: original.path, clock: HandClock())
        let first = await Self.act(engine, goesOn: false)
        try await engine.seal()
        // What is in the log alone.
        let table = ReadingTable(
            source: SeriesSource(device: nil), times: [1000, 1001],
            columns: [ReadingColumn(field: "level", values: .floats([7, 8]))])
        for _ in 0..<3 {
            _ = try await engine.append(
                ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
        }
        try await engine.copy(into: copy.path)
        await engine.close()
        let wanted = first.acknowledged.merging([1000: 7, 1001: 8]) { $1 }
        let names = try FileManager.default.contentsOfDirectory(atPath: copy.path).sorted()
        let victim = name.hasPrefix("log-") ? names.last { FileNames.logNumber($0) != nil } ?? name : name
        let path = copy.path + "/" + victim
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var named = 0
        for _ in 0..<60 {
            var flipped = bytes
            let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let folder = TemporaryFolder()
            try FileManager.default.copyItem(atPath: copy.path, toPath: folder.path)
            try flipped.write(to: URL(fileURLWithPath: folder.path + "/" + victim))
            do throws(StoreError) {
                let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
                if !engine.damage.isEmpty {
                    named += 1
                    #expect(engine.damage.allSatisfy { $0.code == .damaged && $0.details["file"] == victim })
                }
                // A catalogue is made anew from its copy, and named too.
                if !engine.remarks.isEmpty {
                    named += 1
                    #expect(engine.remarks.map(\.name) == [victim])
                }
                let isNamed = !engine.damage.isEmpty
                do {
                    let found = try await Self.read(engine)
                    // The rest is readable; what is there is what was written.
                    #expect(isNamed || found == wanted, "bit \(bit) of \(victim)")
                    for (time, value) in found where isNamed {
                        #expect(wanted[time] == value || first.acknowledged[time] != nil, "bit \(bit) of \(victim)")
                    }
                } catch {
                    named += 1
                    #expect(error is StoreError)
                }
                await engine.close()
            } catch {
                named += 1
                #expect(error.code == .damaged, "bit \(bit) of \(victim): \(error)")
                #expect(error.details["file"]?.hasPrefix(victim) ?? false, "bit \(bit) of \(victim): \(error)")
            }
        }
        #expect(named > 0)
    }
}
