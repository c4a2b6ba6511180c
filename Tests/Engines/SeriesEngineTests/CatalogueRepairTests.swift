import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// A catalogue that is damaged, cut off or gone is made anew from its copy, and the copy from the catalogue.
@Suite struct CatalogueRepairTests {
    private static let scope = AccessScope(tenant: TenantID(high: 5, low: 1))
    private static let devices = (1...12).map { DeviceID(high: 9, low: UInt64($0)) }

    private static func append(_ engine: SeriesEngine, _ round: Int) async throws {
        let tables = devices.map { device in
            ReadingTable(
                source: SeriesSource(device: device, labels: ["site": "north \(device)", "floor": "second"]),
                times: [Int64(round) * 1_000_000],
                columns: [
                    ReadingColumn(field: "level", values: .floats([Double(round)])),
                    ReadingColumn(field: "state", values: .texts(["on"])),
                    ReadingColumn(field: "only in round \(round)", values: .integers([Int64(round)])),
                ])
        }
        _ = try await engine.append(ReadingBatch(tables: tables, arrival: Timestamp(seconds: 1)), in: scope)
    }

    private static func read(_ engine: SeriesEngine) async throws -> [SeriesIdentity: [Sample]] {
        let cursor = try await engine.samples(SeriesSelection([]), in: scope)
        var result: [SeriesIdentity: [Sample]] = [:]
        while let piece = try await cursor.next() { result[piece.identity, default: []] += piece.samples }
        return result
    }

    /// A folder with readings in files and in the log, and what they are.
    private static func store() async throws -> (TemporaryFolder, [SeriesIdentity: [Sample]]) {
        let (original, folder) = (TemporaryFolder(), TemporaryFolder())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let engine = try await SeriesEngine.open(folder: original.path, clock: HandClock())
        for round in 0..<4 {
            try await append(engine, round)
            if round < 3 { try await engine.seal() }
            // Some definitions are together, some are rows of their own.
            if round == 1 { try await engine.compact() }
        }
        // The copy keeps what is only in the log there.
        try await engine.copy(into: folder.path)
        let wanted = try await read(engine)
        await engine.close()
        return (folder, wanted)
    }

    private static func url(_ folder: TemporaryFolder, _ name: String) -> URL {
        URL(fileURLWithPath: folder.path + "/" + name)
    }

    private static func clone(_ folder: TemporaryFolder) throws -> TemporaryFolder {
        let clone = TemporaryFolder()
        try FileManager.default.copyItem(atPath: folder.path, toPath: clone.path)
        return clone
    }

    /// Everything is there, new readings are taken, and so it stays after a restart.
    private static func check(
        _ folder: TemporaryFolder, _ wanted: [SeriesIdentity: [Sample]], _ comment: String
    ) async throws -> [StoreFact] {
        let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        #expect(engine.damage.isEmpty, "\(comment): \(engine.damage)")
        #expect(try await read(engine) == wanted, "\(comment)")
        let remarks = engine.remarks
        let facts = try await engine.inspection()
        #expect(remarks.allSatisfy { $0.state == .warning && facts.contains($0) }, "\(comment): \(facts)")
        try await append(engine, 9)
        await engine.close()
        let again = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        let found = try await read(again)
        // Each device has a new field.
        #expect(found.count == wanted.count + devices.count, "\(comment)")
        for (identity, samples) in wanted { #expect(found[identity]?.starts(with: samples) == true, "\(comment)") }
        // What lies beside is told until somebody removes it.
        #expect(again.remarks.count == remarks.count { $0.value.contains("lies beside") }, "\(comment)")
        #expect(try await again.verify().damage.isEmpty, "\(comment)")
        await again.close()
        return remarks
    }

    @Test(arguments: [FileNames.catalogue, FileNames.catalogueCopy])
    func `wherever a bit is flipped, all readings are there afterwards`(_ name: String) async throws {
        var random = SeededGenerator(seed: 23)
        let (folder, wanted) = try await Self.store()
        let bytes = try Data(contentsOf: Self.url(folder, name))
        var repaired = 0
        for _ in 0..<16 {
            let clone = try Self.clone(folder)
            var flipped = bytes
            let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try flipped.write(to: Self.url(clone, name))
            let remarks = try await Self.check(clone, wanted, "bit \(bit) of \(name)")
            if remarks.isEmpty { continue }
            repaired += 1
            #expect(remarks.map(\.name) == [name])
            let aside = try Data(contentsOf: Self.url(clone, name + FileNames.damaged))
            #expect(aside.count == bytes.count, "what was damaged is kept")
        }
        #expect(repaired > 8, "\(repaired) of 16")
    }

    @Test(arguments: [FileNames.catalogue, FileNames.catalogueCopy])
    func `a file that is cut off is made anew`(_ name: String) async throws {
        let (folder, wanted) = try await Self.store()
        let bytes = try Data(contentsOf: Self.url(folder, name))
        for length in [0, 1, 4097, bytes.count / 2, bytes.count - 1] {
            let clone = try Self.clone(folder)
            try bytes.prefix(length).write(to: Self.url(clone, name))
            _ = try await Self.check(clone, wanted, "\(name) cut to \(length)")
        }
        let clone = try Self.clone(folder)
        try Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 * 7) }).write(to: Self.url(clone, name))
        #expect(try await Self.check(clone, wanted, "\(name) overwritten").map(\.name) == [name])
    }

    @Test func `a file that is gone is made anew`() async throws {
        let (folder, wanted) = try await Self.store()
        for name in [FileNames.catalogue, FileNames.catalogueCopy] {
            let clone = try Self.clone(folder)
            try FileManager.default.removeItem(at: Self.url(clone, name))
            let remarks = try await Self.check(clone, wanted, "\(name) gone")
            // A folder of before the copy looks like one that lost it.
            #expect(remarks.map(\.name) == (name == FileNames.catalogue ? [name] : []))
        }
    }

    @Test func `a second damage is put aside beside the first`() async throws {
        let (folder, wanted) = try await Self.store()
        for round in 0..<2 {
            try Data([1, 2, 3]).write(to: Self.url(folder, FileNames.catalogue))
            let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
            #expect(try await Self.read(engine) == wanted)
            #expect(engine.remarks.count == round + 1)
            await engine.close()
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(CataloguePair.asideNames(names) == ["catalogue.db.damaged", "catalogue.db.damaged-2"])
    }

    @Test func `without both nothing is opened, and nothing is changed`() async throws {
        let (folder, _) = try await Self.store()
        let damages: [(URL) throws -> Void] = [
            { try FileManager.default.removeItem(at: $0) }, { try Data(repeating: 7, count: 9000).write(to: $0) },
        ]
        for damage in damages {
            let clone = try Self.clone(folder)
            for name in [FileNames.catalogue, FileNames.catalogueCopy] { try damage(Self.url(clone, name)) }
            let names = { () throws -> [String] in
                try FileManager.default.contentsOfDirectory(atPath: clone.path).filter { $0.hasSuffix(".db") }.sorted()
            }
            let before = try names()
            await #expect(throws: StoreError.self) {
                try await SeriesEngine.open(folder: clone.path, clock: HandClock())
            }
            #expect(try names() == before)
        }
    }

    @Test func `two empty catalogues beside readings are damage`() async throws {
        let (folder, _) = try await Self.store()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasPrefix("catalogue") || name.hasPrefix("log-") {
            try FileManager.default.removeItem(at: Self.url(folder, name))
        }
        for name in [FileNames.catalogue, FileNames.catalogueCopy] { try Data().write(to: Self.url(folder, name)) }
        let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        #expect(engine.damage.map(\.code) == [.damaged])
        await #expect(throws: StoreError.self) { try await Self.append(engine, 1) }
        await engine.close()
    }

    @Test func `of a damaged file the newest value says that it may be older`() async throws {
        let (folder, _) = try await Self.store()
        // Another month, in a file of its own.
        var engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        let late = ReadingTable(
            source: SeriesSource(device: Self.devices[0]), times: [90 * 86_400_000_000],
            columns: [ReadingColumn(field: "level", values: .floats([77]))])
        _ = try await engine.append(ReadingBatch(tables: [late], arrival: Timestamp(seconds: 1)), in: Self.scope)
        try await engine.seal()
        #expect(try await engine.latest([], in: Self.scope).allSatisfy(\.isCertain))
        await engine.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { FileNames.place($0) != nil }.sorted()
        #expect(names.count == 2)
        for name in names {
            let url = Self.url(folder, name)
            let bytes = try Data(contentsOf: url)
            try Data(repeating: 9, count: bytes.count).write(to: url)
            engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
            #expect(engine.knownDamage?.code == .damaged)
            let found = try await engine.latest([], in: Self.scope)
            if FileNames.place(name)?.period == 0 {
                // The newer file is whole; of the others there is nothing.
                #expect(found.map(\.isCertain) == [true] && found.map(\.sample.value) == [.float(77)])
                await #expect(throws: StoreError.self, "nothing at all is no answer") {
                    try await engine.latest([], devices: [Self.devices[1]], in: Self.scope)
                }
            } else {
                #expect(found.count > Self.devices.count && found.allSatisfy { !$0.isCertain })
            }
            await engine.close()
            try bytes.write(to: url)
        }
    }
}
