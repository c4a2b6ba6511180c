import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

@Suite struct RowsTests {
    @Test(arguments: [1, 2, 3]) func `rows land like the tables that they stand for, after a restart too`(
        seed: UInt64
    ) async throws {
        var generator = SeededGenerator(seed: seed)
        let scope = AccessScope(tenant: TenantID(high: 1, low: seed))
        let (left, right) = (TemporaryFolder(), TemporaryFolder())
        let (asRows, asTables) = (OpenedEngine(folder: left), OpenedEngine(folder: right))
        for number in 0..<4 {
            let rows = Self.rows(using: &generator)
            let arrival = Timestamp(seconds: 2_000_000 + Int64(number))
            _ = try await asRows.engine().append(ReadingBatch(rows: rows, arrival: arrival), in: scope)
            _ = try await asTables.engine().append(ReadingBatch(tables: rows.tables, arrival: arrival), in: scope)
            #expect(try await Self.samples(asRows.engine(), scope) == Self.samples(asTables.engine(), scope))
        }
        await asRows.end()
        await asTables.end()
    }

    /// Rows of few sources and fields, so that times meet and field lists alternate.
    private static func rows(using generator: inout SeededGenerator) -> ReadingRows {
        let sources = (0..<5).map { SeriesSource(device: nil, measurement: "m", labels: ["n": "\($0)"]) }
        let fields: [(String, ReadingValue.Kind)] = [
            ("a", .float), ("b", .integer), ("c", .boolean), ("d", .text), ("e", .object),
        ]
        let shapes = (0..<4).map { _ in
            let chosen = fields[0..<5].filter { _ in generator.next() % 3 > 0 }
            let list = chosen.isEmpty ? [fields[0]] : Array(chosen)
            return RowShape(fields: list.map(\.0), kinds: list.map(\.1))
        }
        var rows = ReadingRows(groupCount: sources.count)
        rows.qualities = generator.next() % 2 == 0 ? [] : nil
        for (group, source) in sources.enumerated() {
            for shape in shapes {
                rows.parts.append(ReadingRows.Part(source: source, shape: shape, group: Int32(group)))
            }
        }
        for _ in 0..<200 {
            let part = Int(generator.next() % UInt64(rows.parts.count))
            let time = 1_000_000_000 + Int64(generator.next() % 60) * 1_000_000
            rows.rows.append(
                ReadingRows.Row(part: Int32(part), firstWord: Int32(rows.words.count), time: time))
            for kind in rows.parts[part].shape.kinds {
                rows.append(value(kind, using: &generator))
                rows.qualities?.append(generator.next() % 4 == 0 ? 40 : 100)
            }
        }
        return rows
    }

    private static func value(_ kind: ReadingValue.Kind, using generator: inout SeededGenerator) -> ReadingValue {
        let number = Int64(generator.next() % 1000)
        return switch kind {
        case .float: .float(Double(number) / 8)
        case .integer: .integer(number - 500)
        case .boolean: .boolean(number % 2 == 0)
        case .text: .text("t\(number % 7)")
        case .object: .object("{\"n\":\(number % 7)}")
        }
    }

    private static func samples(_ store: SeriesEngine, _ scope: AccessScope) async throws
        -> [SeriesIdentity: [Sample]]
    {
        var samples: [SeriesIdentity: [Sample]] = [:]
        let cursor = try await store.samples(SeriesSelection([]), in: scope)
        while let piece = try await cursor.next() { samples[piece.identity, default: []] += piece.samples }
        return samples
    }
}
