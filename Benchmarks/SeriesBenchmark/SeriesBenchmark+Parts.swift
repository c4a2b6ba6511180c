import Foundation
import VigilModel
import VigilPorts

@testable import SeriesEngine

extension SeriesBenchmark {
    /// A gauge of one decimal place that drifts, as one chunk holds it.
    static func gauge() -> [Double] {
        var random = SplitMix(state: 3)
        var level = 2000
        return (0..<ChunkStore.samplesMax).map { _ in
            level += Int(random.next() & 31) - 15
            return Double(level) / 10
        }
    }

    /// Seconds of this thread on a processor: others use the machine too.
    static func processorSeconds(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let start = now()
        for _ in 0..<rounds { try body() }
        return now() - start
    }

    /// Values decoded in a second by one core, before zstd: integers packed as differences, and the floats of them.
    static func decode() throws {
        let values = gauge()
        let integers = values.map { Int64(($0 * 10).rounded()) }
        let rounds = 3000
        func report(_ name: String, _ seconds: Double) {
            print("\(name) \(Int(Double(rounds * integers.count) / seconds / 1e6)) M-values/s")
        }
        var check = 0.0
        for (name, order) in [("packed", 0), ("packed-delta", 1)] {
            let bytes = packed(integers, order)
            report(
                "decode-\(name)",
                try processorSeconds(rounds) {
                    check += Double(try IntegerCodec.decode(bytes[...], count: integers.count)[7])
                })
            let floats = [UInt8(1), 0] + bytes
            report(
                "decode-gauge-\(name)",
                try processorSeconds(rounds) { check += try FloatCodec.numbers(floats[...], count: integers.count)[7] })
        }
        let whole = FloatCodec.encode(values.map(\.bitPattern))
        report(
            "decode-gauge-as-chosen",
            try processorSeconds(rounds) { check += try FloatCodec.numbers(whole[...], count: integers.count)[7] })
        let times = values.indices.map { Int64($0) * 10_000_000 }
        for (name, needs) in [("sum", .sum), ("bounds", .bounds), ("everything", .everything)]
            as [(String, WindowNeeds)]
        {
            var folded = WindowAggregate()
            report(
                "fold-\(name)",
                processorSeconds(rounds) {
                    times.withUnsafeBufferPointer { times in
                        values.withUnsafeBufferPointer { folded.add(times, $0, needs) }
                    }
                })
            check += folded.sum
        }
        print("check \(check)")
    }

    /// Differences as packed bits without zstd, which a chunk may hold where zstd makes them no smaller.
    static func packed(_ values: [Int64], _ order: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(UInt8(1 + order))
        var differences = values
        for _ in 0..<order {
            writer.append(signed: differences[0])
            differences = zip(differences.dropFirst(), differences).map { $0 &- $1 }
        }
        let least = differences.min() ?? 0
        let width = 64 - ((differences.max() ?? 0) &- least).leadingZeroBitCount
        writer.append(signed: least)
        writer.append(UInt8(width))
        writer.append(contentsOf: BitPacking.pack(differences, minus: least, width: width))
        return writer.bytes
    }

    /// Bytes per value of each field of the estate, as a chunk holds it.
    static func codecs() {
        var estate = Estate(devices: 1, seed: 1)
        let table = estate.table(0, first: 0, rows: ChunkStore.samplesMax)
        let count = Double(table.times.count)
        print(String(format: "codec times %.4f bytes/value", Double(IntegerCodec.encode(table.times).count) / count))
        for (column, places) in zip(table.columns, Estate.places) {
            let (bytes, integers): ([UInt8], [Int64]) =
                switch column.values {
                case .floats(let values):
                    (FloatCodec.encode(values.map(\.bitPattern)), values.map { Int64(($0 * places).rounded()) })
                case .integers(let values): (IntegerCodec.encode(values), values)
                default: ([], [])
                }
            let bits = (0...2).map { packed(integers, $0).count }.min() ?? 0
            let zstd = Zstandard.compressed(integers.withUnsafeBytes { Array($0) })?.count ?? 0
            let quick =
                switch column.values {
                case .floats(let values): FloatCodec.encode(values.map(\.bitPattern), .quick).count
                default: IntegerCodec.encode(integers, .quick).count
                }
            print(
                String(
                    format:
                        "codec %@ %.4f bytes/value, in haste %.4f, packed bits alone %.4f, zstd of the integers alone %.4f",
                    column.field, Double(bytes.count) / count, Double(quick) / count, Double(bits) / count,
                    Double(zstd) / count))
        }
    }

    /// What encoding a value costs, of a chunk as sealing makes it and of one that stays.
    static func encode() {
        var estate = Estate(devices: 1, seed: 1)
        for (rows, effort) in [
            (730, EncodingEffort.quick), (730, .thorough), (5840, .quick), (5840, .thorough),
            (ChunkStore.samplesMax, .thorough),
        ] {
            var (sum, size) = (0.0, 0)
            for column in estate.table(0, first: 0, rows: rows).columns {
                let rounds = 4_000_000 / rows
                let spent = processorSeconds(rounds) {
                    switch column.values {
                    case .floats(let values): size += FloatCodec.encode(values.map(\.bitPattern), effort).count
                    case .integers(let values): size += IntegerCodec.encode(values, effort).count
                    default: break
                    }
                }
                sum += spent
                print(
                    String(
                        format: "encode-%d-%@ %@ %.1f ns/value, %.4f bytes", rows, "\(effort)", column.field,
                        spent / Double(rounds * rows) * 1e9, Double(size) / Double(rounds * rows)))
                size = 0
            }
            print(
                String(format: "encode-%d-%@ %.1f ns/value on average", rows, "\(effort)", sum / 10 / 4_000_000 * 1e9))
        }
    }

    /// Memory and time of the label index.
    static func index(_ count: Int) throws {
        let catalogue = SeriesCatalogue()
        let before = residentBytes()
        let perDevice = 10
        for device in 0..<count / perDevice {
            let source = SeriesSource(
                device: DeviceID(high: 7, low: UInt64(device)), measurement: "estate",
                labels: ["device": "d\(device)", "site": "s\(device % 500)", "kind": "k\(device % 5)"])
            let columns = Estate.fields.map { ReadingColumn(field: $0, values: .floats([])) }
            let table = ReadingTable(source: source, times: [], columns: columns)
            _ = try catalogue.layouts(
                of: [table], BatchRecord.Runs(ReadingRows()), tenant: TenantID(high: 9, low: 1)
            ) { _ in }
        }
        print("index-memory \((residentBytes() - before) / count) bytes/series")
        let questions: [(String, [LabelMatcher])] = [
            ("equal", [.metric("estate_flow"), LabelMatcher("device", .equal, "d77")]),
            ("site", [.metric("estate_flow"), LabelMatcher("site", .equal, "s7")]),
            ("pattern", [.metric("estate_flow"), LabelMatcher("site", .matches, "s1.*")]),
            ("not", [.metric("estate_flow"), LabelMatcher("kind", .notEqual, "k1")]),
            ("pattern-device", [.metric("estate_flow"), LabelMatcher("device", .matches, "d.*99")]),
        ]
        for (name, matchers) in questions {
            let clock = ContinuousClock()
            var found = 0
            var best = Double.infinity
            for _ in 0..<5 {
                let start = clock.now
                let result = catalogue.find(
                    try SeriesMatchers(matchers), tenant: TenantID(high: 9, low: 1), scope: scope)
                best = min(best, (clock.now - start) / .milliseconds(1))
                found = result.reduce(0) { $0 + $1.1.count }
            }
            print(String(format: "index-%@ %.3f ms, %d series", name, best, found))
        }
    }

    static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return pages * 4096
    }
}
