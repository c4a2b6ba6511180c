import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// One example of each format on disk, as a version wrote it: every later version reads it.
///
/// When a format changes, its example stays, and one of the new format joins it.
@Suite struct GoldenFileTests {
    /// Series of every kind, with gaps, qualities and a field that changed its kind.
    static let series: [(series: UInt32, samples: RawSeries)] = {
        func series(_ number: UInt32, _ count: Int, _ sample: (Int) -> (UInt64, ReadingValue.Kind, UInt8)) -> (
            series: UInt32, samples: RawSeries
        ) {
            var series = RawSeries(texts: ["on", "off", "{\"a\":1}"])
            for index in 0..<count {
                let (bits, kind, quality) = sample(index)
                series.samples.append(
                    RawSample(
                        time: 1_700_000_000_000_000 + Int64(index) * 10_000_000, bits: bits, order: 0,
                        kind: kind.rawValue, quality: quality))
            }
            return (number, series)
        }
        return [
            series(1, 64) { ((20 + Double($0 % 7) / 10).bitPattern, .float, 100) },
            series(2, 64) { (UInt64($0 * 3), .integer, $0 == 5 ? 40 : 100) },
            series(3, 64) { (UInt64($0 / 40), .boolean, 100) },
            series(4, 40) { (UInt64($0 % 2), .text, 100) },
            series(5, 40) { $0 < 20 ? (Double.pi.bitPattern, .float, 100) : (2, .object, 100) },
            series(6, 64) { ((1 / Double($0 + 1)).bitPattern, .float, 100) },
        ]
    }()

    static func values(_ series: RawSeries) -> [Sample] { series.samples.map(series.sample) }

    @Test func `a chunk of version 2 is read`() throws {
        let bytes = try #require(Data(base64Encoded: Self.chunk))
        let content = try ChunkContent([UInt8](bytes))
        #expect(content.series.sorted() == [1, 2, 3, 4, 5, 6])
        for (number, series) in Self.series {
            let found = try #require(try content.samples(number))
            #expect(Self.values(found) == Self.values(series), "series \(number)")
        }
    }

    @Test func `what is packed comes back, and what is not is as it was`() throws {
        let blocks: [[UInt8]] = [
            [], [0], [1], [3, 0, 0], Array(repeating: 7, count: 500), (0..<3000).map { UInt8($0 / 50 + 1) },
            (0..<70_000).map { UInt8($0 % 3 + 1) }, (0..<40).map { UInt8($0 + 1) },
        ]
        for block in blocks {
            for sizeMax in [PackedBlock.sizeMax, .max] {
                let packed = PackedBlock.pack(block, sizeMax: sizeMax)
                #expect(packed.count <= block.count)
                var reader = try PackedBlock.open(packed[...])
                #expect(Array(try reader.slice(block.count)) == block && reader.isAtEnd)
            }
        }
        #expect(PackedBlock.pack(blocks[4]).first == 0)
        #expect(throws: ByteReader.Malformed.self) { try PackedBlock.open([0, 40, 1, 2, 3][...]) }
        #expect(throws: ByteReader.Malformed.self) {
            try PackedBlock.open(PackedBlock.pack(Array(repeating: 7, count: 500)).dropLast())
        }
    }

    @Test func `directories of version 2 and of version 5 are read`() throws {
        let columns = Self.series.map { number, series in
            ChunkRewriting.column(number, series) { $0 + 5_000_000 }
        }
        let (plain, packed) = (Data(base64Encoded: Self.directory), Data(base64Encoded: Self.packedDirectory))
        let found = try ChunkDirectory.decode([UInt8](try #require(plain)))
        let again = try ChunkDirectory.decode([UInt8](try #require(packed)))
        #expect(found.count == columns.count && again.count == columns.count && packed?.first == 0)
        for (left, right) in zip(found + again, columns + columns) {
            #expect(left.series == right.series && left.count == right.count)
            #expect(left.firstTime == right.firstTime && left.lastTime == right.lastTime)
            #expect(left.last == right.last && left.arrival == right.arrival)
            #expect(left.statistics.count == right.statistics.count)
            for aggregate in WindowQuery.Aggregate.allCases where right.statistics.count > 0 {
                #expect(abs(left.statistics[aggregate] - right.statistics[aggregate]) < 1e-9, "\(aggregate)")
            }
        }
    }

    @Test(arguments: [GoldenFileTests.log, GoldenFileTests.logOfDefinitions])
    func `a log of version 1 is read, with definitions one by one and together`(_ log: String) async throws {
        let folder = TemporaryFolder()
        let scope = AccessScope(tenant: TenantID(high: 1, low: 2))
        let bytes = try #require(Data(base64Encoded: log))
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try bytes.write(to: URL(fileURLWithPath: folder.path + "/" + FileNames.log(1)))
        let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        #expect(engine.damage.isEmpty)
        let found = try await engine.latest([], in: scope).sorted { $0.identity.metric < $1.identity.metric }
        #expect(found.map(\.identity.metric) == ["boiler_level", "boiler_state"])
        #expect(found.map(\.sample.value) == [.float(2.5), .text("on")])
        #expect(found.map(\.identity.labels) == [["site": "north"], ["site": "north"]])
        await engine.close()
    }

    // Written by ColumnChunk.encode, ChunkDirectory.encode and the log of an engine with the readings that are expected.

    static let chunk = """
        oYKqgaZJFMwCQA4CgIDygYOJhQaA2sQJACgOAoCA8oGDiYUGgNrECQAGAQAgAAAdAQAUQyi1L/0gQ4UAAFCQAwEAAQIDBAUGAQDWWZACABcBDw\
        cDBgFQBjzAAwUDCgd6AAEEAgAGAAMADgACCwEAAQAAAAAA////BAEVAAMSAgAHAm9uA29mZgEAAaqqqqqqBQE+AP8KBwIEAQADIAIAKBwQBwIT\
        AQA/GC1EVPshCUAAAAAAAAAAAAQCAiQAAAADAAAADQEACAd7ImEiOjF9AAAGAMMDAAC/AxAUiAQotS/9YAgBjQ0AlBmgkIiEgsEgCPDwRUWKv7\
        eCDHbMAzF2cwEO8iSick4SIR5fbOr0d4V0+Abz8bzoInBQ0tyiQWMj8lwyX/DFmeb80taLDBqvhAD7+1FRlchtIMNaij5qGzENGtRkMhuNMnA9\
        KxAHWmb9DBr9xQ55EQc5fZp/DndJLUBMDfwqP1M5MTdgWDLHxhAAvr4UFFiL2wgwp4PHo7cX0N0uj/e3+xUdut7PpxLKEQE7IB7vbx+fl8S829\
        9biVeFOUB4ZFlJBGxHmi4jbL3CAO/vRUWJvLaCDHXdEDZxcwAN8pAUcVsd/AJDnR/jXwn44N7z8PiYlnMFh0gkUj9ibuLQQ/fYNoSr3wwuPk43\
        B0SAPRsbUxWYsNa7nJmkLBy928UOOXseOVRD1Yq5oDzZsf3xKiOUwWEcuaMLXEwhm89CKrfjxtbuigZ+rXVUQ8bYHu+cHXKXH1dwVENCSltvXS\
        1komMnln0PuwmXDIQA7w81BRkMBgJ8BQ4BBgEDAB0CBgMBDgACAAcBAAMAAQA+AAMBAA8AAAcAAQAAAwAAAD8ACADDyVCxp+ZQ5HINGK3AaBjt\
        wdAwUw==
        """
    static let directory = """
        BgFAgIDygYOJhQaApujYBICt4gQAZAAAAAAAADRAQAAAACgAKAAoAZwDAfrKAQfKxsbBARDMzMzMzCxnQBBqZmZmZt4EQAJAgIDygYOJhQaApu\
        jYBICt4gQBZPoCQAAAAAAA+gIAAAD6AgDAXgHiDgAAAKD/FwNAgIDygYOJhQaApujYBICt4gQCZAFAAAAAAAACAAAAAgAwA+4FAAAAHgQogIDy\
        gYOJhQaAtvfzAoCt4gQDZANvZmYABSiAgPKBg4mFBoC29/MCgK3iBARkB3siYSI6MX0UAICEr18QGC1EVPshCUAQGC1EVPshCUAQGC1EVPshCU\
        AQGC1EVPshCUAQXjhVKXpqT0AQGC1EVPshCUAAAAAABkCAgPKBg4mFBoCm6NgEgK3iBABkAAAAAAAAkD9AAAAAAgaS9AEGkvQBAAIQKdV8ib75\
        EkAQKdV8ib75sj8QJ9V8ib7pEkAQdTJ/+dtx9D8=
        """
    static let packedDirectory = """
        AOcCKLUv/WBnAB0HAAQLBgFAgIDygYOJhQaApujYBICt4gQAZAA0QEAAAAAoAZwDAfrKAQfKxsbBARDMLGdAEGpmZmZm3gRAAgFk+gIAAPoCwF4B4g\
        4AAACg/xcDAmQBAgAwA+4FAAAAHgQotvfzAgNkA29mZgAFBGQHeyJhIjoxfRQAgISvXxAYLURU+yEJQF44VSl6ak8GkD8CBpL0AQaS9AEAAhAp1XyJ\
        vvkSQLI/ECfpEkAQdTJ/+dtx9D8UACAQLMnAYsYSQTI/hLHhqM3EwoyeHoHNTVVGFYBUw5jKJ9QQIQICCf7hrOZsb0ET
        """
    static let log = """
        VklHSUxMT0cBAAAAAAAAAAEAAAAAAAAAAQAAAAAAAAAACrlTJAoGAAAAAAAAAAAAAAAAAAAAAABKsaCUc7LPPUAAAAABAAAAAQAAAAAAAAAAAA\
        AAAAAAANZK+GFHc84iZfRzS3CzyfIBAAAAAQAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAQAAAAAAAAAAQAAAAQAAABzaXRlBQAAAG5vcnRo\
        AAAAGAAAAAIAAAACAAAAAAAAAAAAAAAAAAAAXEvei8Z/1aRJWeNRUtxsGwEAAAABAAAADAAAAGJvaWxlcl9sZXZlbBgAAAACAAAAAwAAAAAAAA\
        AAAAAAAAAAAKjEgfUBmrxpUcz4RbuyRxsCAAAAAQAAAAwAAABib2lsZXJfc3RhdGUgAAAAAwAAAAQAAAAAAAAAAAAAAAAAAADHqv3mFM1+ENQG\
        W+0fOs3OAQAAAAEAAAADAAAAAgAAAAEAAAAAAAAAAgAAAAMAAAB4AAAABAAAAAUAAAAAAAAAAAAAAAAAAAAauxTQOTDZFi9OqHSF2PL4wBjGGC\
        QKBgABAAAAAAAAAAEAAAACAAAAAQAAAAAAAAACAAAAb24AAABAHhgkCgYAAwAAAAAAAAAAAAAAAAD4PwAAAAAAAAAAZGQAAAAAAACA1rYYJAoG\
        AAEAAAAAAAAAAAAAAAAABEAAAAAAAAAAAGQoAAAAAAAAAAAAAAcAAAAFAAAAAAAAAAUAAAAAAAAAmenYUTfbRu9Xf8iDxcn+4g==
        """
    static let logOfDefinitions = """
        VklHSUxMT0cBAAAAAAAAAAEAAAAAAAAAAQAAAAAAAAAACrlTJAoGAAAAAAAAAAAAAAAAAAAAAABKsaCUc7LPPagAAAAIAAAAAQAAAAAAAAAAAAAAAA\
        AAAAhKtvPaLlLhQ4bDAgPzR6QCAAAAAQAAAAIAAAABAAAADAAAAGJvaWxlcl9sZXZlbAwAAABib2lsZXJfc3RhdGUBAAAAAQAAAAEAAAAAAAAAAgAA\
        AAAAAAADAAAAAAAAAAQAAAAAAAAAAQAAAAQAAABzaXRlBQAAAG5vcnRoAQAAAAEAAAAAAAAAAgAAAAEAAAABAAAAAQAAAAEAAAADAAAAAgAAAAEAAA\
        AAAAAAAgAAAAMAAAAAAAB4AAAABAAAAAIAAAAAAAAAAAAAAAAAAAAauxTQOTDZFqfPZ+IK4R3swBjGGCQKBgABAAAAAAAAAAEAAAACAAAAAQAAAAAA\
        AAACAAAAb24AAABAHhgkCgYAAwAAAAAAAAAAAAAAAAD4PwAAAAAAAAAAZGQAAAAAAACA1rYYJAoGAAEAAAAAAAAAAAAAAAAABEAAAAAAAAAAAGQoAA\
        AAAAAAAAAAAAcAAAACAAAAAAAAAAIAAAAAAAAAmenYUTfbRu+N0qCTkr6RDw==
        """
}
