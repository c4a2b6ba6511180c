import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// The newest samples, found without reading the others.
@Suite struct NewestSamplesTests {
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `the newest samples are the last of all samples, in rows and in chunks`(seed: UInt64) async throws {
        var dice = SeededGenerator(seed: seed)
        let opened = OpenedEngine(folder: TemporaryFolder())
        let engine = try await opened.engine()
        let scope = AccessScope(tenant: TenantID(high: 1, low: 1))
        let devices = [DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2)]
        for step in 0..<60 {
            let device = devices[dice.roll(2)]
            // Few times, so that readings replace each other, and late ones come.
            let times = (0..<1 + dice.roll(4)).map { _ in Int64(step / 8 * 2 + dice.roll(6)) * 1_000_000 }
            let columns = (0..<40).filter { _ in dice.roll(4) > 0 }.map { field in
                column("f\(field)", rows: times.count, &dice)
            }
            let table = ReadingTable(source: SeriesSource(device: device), times: times, columns: columns)
            _ = try await engine.append(
                ReadingBatch(tables: [table], arrival: Timestamp(seconds: Int64(step))), in: scope)
            if dice.roll(10) == 0 { try await engine.seal() }
            if dice.roll(3) == 0 { try await compare(engine, nil, scope, seed, step) }
            if dice.roll(3) == 0 { try await compare(engine, [device], scope, seed, step) }
        }
        await opened.end()
    }

    private func compare(
        _ engine: SeriesEngine, _ devices: Set<DeviceID>?, _ scope: AccessScope, _ seed: UInt64, _ step: Int
    ) async throws {
        var last: [SeriesIdentity: Sample] = [:]
        let cursor = try await engine.samples(SeriesSelection([], devices: devices, range: .always), in: scope)
        while let piece = try await cursor.next() { last[piece.identity] = piece.samples.last }
        let newest = try await engine.latest([], devices: devices, in: scope)
        let found = Dictionary(newest.map { ($0.identity, $0.sample) }, uniquingKeysWith: { $1 })
        #expect(found == last, "seed \(seed), step \(step)")
        #expect(newest.count == last.count)
    }

    /// A column of some kind, which may be another than the same field's before, with gaps.
    private func column(_ field: String, rows: Int, _ dice: inout SeededGenerator) -> ReadingColumn {
        let present: [Bool]? = dice.roll(3) == 0 ? (0..<rows).map { _ in dice.roll(2) == 0 } : nil
        let numbers = (0..<rows).map { _ in dice.roll(1000) }
        let values: ReadingColumn.Values =
            switch dice.roll(12) {
            case 0: .texts(numbers.map { "t\($0)" })
            case 1: .booleans(numbers.map { $0 % 2 == 0 })
            case 2: .integers(numbers.map { Int64($0) })
            default: .floats(numbers.map { Double($0) / 10 })
            }
        return ReadingColumn(field: field, values: values, present: present)
    }
}

extension SeededGenerator {
    fileprivate mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &self) }
}
