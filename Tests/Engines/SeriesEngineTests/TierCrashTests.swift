import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Retention that ends in the middle: the folder as it lies there is opened again.
@Suite struct TierCrashTests {
    private static let scope = AccessScope(tenant: TenantID(high: 1, low: 1))
    private static let day: Int64 = 86_400_000_000
    private static let kept = SeriesRetention(
        RetentionBounds(hot: .age(.days(7)), warm: .age(.days(30)), archive: .age(.days(365))))

    private func filled(_ opened: OpenedEngine) async throws -> SeriesEngine {
        let engine = try await opened.engine()
        engine.keep { _, _ in Self.kept }
        let times = (0..<400).map { Int64($0) * Self.day / 40 }
        let table = ReadingTable(
            source: SeriesSource(device: nil), times: times,
            columns: [ReadingColumn(field: "a", values: .integers(times.indices.map { Int64($0) }))])
        _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
        try await engine.seal()
        return engine
    }

    private func count(_ engine: SeriesEngine) async throws -> Int {
        let cursor = try await engine.samples(SeriesSelection([.metric("a")]), in: Self.scope)
        var values: Set<Int64> = []
        while let piece = try await cursor.next() {
            for sample in piece.samples { if case .integer(let value) = sample.value { values.insert(value) } }
        }
        return values.count
    }

    private func at(_ day: Int64) -> Timestamp { Timestamp(microseconds: day * Self.day) }

    @Test func `a file that was copied to the warm folder and not yet removed is one file`() async throws {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let engine = try await filled(opened)
        let file = try #require(engine.store.chunkFiles.first)
        try TierFolders.write(file, to: engine.tiers.warm, as: file.name)
        _ = FileManager.default.createFile(
            atPath: engine.tiers.warm.folder + "/x.part", contents: Data("half".utf8))
        let again = try await opened.engine()
        #expect(try await count(again) == 400)
        #expect(try again.tiers.warm.names().allSatisfy { !$0.hasSuffix(".part") })
        again.keep { _, _ in Self.kept }
        _ = try await again.applyRetention(at: at(20), isDryRun: false)
        #expect(try await count(again) == 400)
        #expect(try again.tiers.warm.names().filter { $0.hasSuffix(".db") }.count == 10)
        #expect(try again.files.names().filter { FileNames.place($0) != nil }.isEmpty)
        await opened.end()
    }

    @Test func `a series that was copied to its new file and not yet removed from the old is there once`() async throws
    {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let engine = try await filled(opened)
        let saved = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: saved.path, withIntermediateDirectories: true)
        for file in engine.store.chunkFiles { try file.copy(to: saved.path + "/" + file.name) }
        engine.keep { _, _ in .forever }
        _ = try await engine.applyRetention(at: at(1), isDryRun: false)
        await opened.end()
        // The old files come back, as if they had not been written yet.
        for name in try FileManager.default.contentsOfDirectory(atPath: saved.path) {
            try? FileManager.default.removeItem(atPath: folder.path + "/" + name)
            try FileManager.default.copyItem(atPath: saved.path + "/" + name, toPath: folder.path + "/" + name)
        }
        let again = try await opened.engine()
        #expect(try await count(again) == 400)
        again.keep { _, _ in .forever }
        _ = try await again.applyRetention(at: at(1), isDryRun: false)
        #expect(try await count(again) == 400)
        #expect(try await again.statistics().sampleCount == 400)
        await opened.end()
    }

    @Test func `a crash between the files of two classes repeats what the log holds and loses nothing`() async throws {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let engine = try await opened.engine()
        engine.keep { _, series in series.metric == "a" ? Self.kept : .forever }
        for round in 0..<3 {
            let table = ReadingTable(
                source: SeriesSource(device: nil), times: [Int64(round) * Self.day],
                columns: [
                    ReadingColumn(field: "a", values: .integers([Int64(round)])),
                    ReadingColumn(field: "b", values: .integers([Int64(round)])),
                ])
            _ = try await engine.append(ReadingBatch(tables: [table], arrival: Timestamp(seconds: 1)), in: Self.scope)
        }
        let log = TemporaryFolder()
        try FileManager.default.copyItem(atPath: folder.path, toPath: log.path)
        try await engine.seal()
        await opened.end()
        // The log and the catalogue of before, and the files of one class only.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        for name in names where name.hasPrefix("chunks-h") {
            try FileManager.default.copyItem(atPath: folder.path + "/" + name, toPath: log.path + "/" + name)
        }
        #expect(
            names.contains { $0.hasPrefix("chunks-h") } && names.contains { FileNames.place($0)?.bounds == .forever })
        let crashed = OpenedEngine(folder: log)
        let again = try await crashed.engine()
        for metric in ["a", "b"] {
            let cursor = try await again.samples(SeriesSelection([.metric(metric)]), in: Self.scope)
            var count = 0
            while let piece = try await cursor.next() { count += piece.samples.count }
            #expect(count == 3, "\(metric)")
        }
        await crashed.end()
    }
}
