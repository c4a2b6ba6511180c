import Foundation
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// Measures the series engine in its own process; `Benchmarks/series` measures its peers beside it.
///
/// Prints one line `name value unit` per figure.
@main
enum SeriesBenchmark {
    static let scope = AccessScope(tenant: TenantID(high: 9, low: 1))

    static func main() async throws {
        let arguments = CommandLine.arguments
        switch arguments.dropFirst().first {
        case "run" where arguments.count == 5: try await run(arguments[2], arguments[3], arguments[4])
        case "csv" where arguments.count == 5: try csv(arguments[2], arguments[3], arguments[4])
        case "lines" where arguments.count == 4: lines(Int(arguments[2]) ?? 100, Int(arguments[3]) ?? 10_000)
        case "month" where arguments.count == 4: try await month(arguments[2], Int(arguments[3]) ?? 4)
        case "grow" where arguments.count == 6:
            try await grow(
                arguments[2], Int(arguments[3]) ?? 1000, arguments[4].split(separator: ",").compactMap { Int($0) },
                memoryBytes: (Int(arguments[5]) ?? 128) << 20)
        case "trickle" where arguments.count == 6:
            try await trickle(
                arguments[2], Int(arguments[3]) ?? 100, Int(arguments[4]) ?? 10, Int(arguments[5]) ?? 10)
        case "cold" where arguments.count == 4: try await cold(arguments[2], Int(arguments[3]) ?? 10_000)
        case "repeat" where arguments.count == 6:
            try await again(arguments[2], Int(arguments[3]) ?? 10_000, arguments[4], Int(arguments[5]) ?? 100)
        case "entropy": entropy()
        case "decode": try decode()
        case "codecs": codecs()
        case "encode": encode()
        case "index" where arguments.count == 3: try index(Int(arguments[2]) ?? 1_000_000)
        default:
            print(
                """
                SeriesBenchmark run FOLDER DEVICES ROWS | cold FOLDER ROWS | month FOLDER DEVICES
                SeriesBenchmark repeat FOLDER ROWS QUESTION TIMES
                SeriesBenchmark grow FOLDER DEVICES POINTS,POINTS,… MEMORY-MB | trickle FOLDER DEVICES FIELDS DAYS
                SeriesBenchmark csv FILE DEVICES ROWS | lines DEVICES ROWS | decode | encode | codecs | entropy | index SERIES
                """)
            exit(2)
        }
    }

    static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        try await ContinuousClock().measure { try await body() } / .seconds(1)
    }

    /// Appends an estate in batches of what all devices report in five minutes, then asks.
    static func run(_ folder: String, _ devices: String, _ rows: String) async throws {
        guard let devices = Int(devices), let rows = Int(rows) else { return }
        let points = devices * rows * Estate.fields.count
        let engine = try await SeriesEngine.open(folder: folder, clock: WallClock())
        var estate = Estate(devices: devices, seed: 1)
        var spent = 0.0
        let perBatch = 30
        for first in stride(from: 0, to: rows, by: perBatch) {
            for part in stride(from: 0, to: devices, by: 100) {
                let tables = (part..<min(part + 100, devices)).map {
                    estate.table($0, first: first, rows: min(perBatch, rows - first))
                }
                let batch = ReadingBatch(tables: tables, arrival: Timestamp(microseconds: Estate.start))
                spent += try await seconds { _ = try await engine.append(batch, in: scope) }
            }
        }
        print("append \(Int(Double(points) / spent)) points/s")
        print("seal \(try await seconds { try await engine.seal() }) s")
        let sealed = try await engine.statistics().diskBytes
        print("size-sealed \(Double(sealed) / Double(points)) bytes/point in \(engine.figures().chunks) chunks")
        print("compact \(try await seconds { try await engine.compact() }) s")
        await engine.close()
        let start = ContinuousClock().now
        let again = try await SeriesEngine.open(folder: folder, clock: WallClock())
        print("start \((ContinuousClock().now - start) / .seconds(1)) s")
        let statistics = try await again.statistics()
        print("size \(Double(statistics.diskBytes) / Double(points)) bytes/point of \(statistics.sampleCount)")
        try await ask(again, rows: rows)
        await again.close()
    }

    static let questions = [
        "latest-of-all", "one-1h-by-1min", "eight-6h-by-5min", "all-by-1h-one-metric", "all-by-1h-five-metrics",
        "mean-of-everything", "count-above",
    ]

    /// All questions five times, or one of them once or more often.
    static func ask(_ engine: SeriesEngine, rows: Int, only: String? = nil, times: Int = 1) async throws {
        let end = Estate.start + Int64(rows) * Estate.intervalMicroseconds + 100_000_000
        func range(_ seconds: Int64) -> TimeRange {
            TimeRange(
                Timestamp(microseconds: max(Estate.start, end - seconds * 1_000_000)), Timestamp(microseconds: end))
        }
        let metric = LabelMatcher.metric("estate_temperature")
        let one = [metric, LabelMatcher("device", .equal, "d7")]
        let eight = [metric, LabelMatcher("device", .matches, "d[1-8]")]
        let five = [LabelMatcher("__name__", .matches, "estate_(temperature|pressure|humidity|voltage|flow)")]
        let all = TimeRange.always
        let hour: Int64 = 3600
        func asked(_ name: String, _ body: () async throws -> Int) async throws {
            if only == nil { try await report(name, body) }
            guard only == name else { return }
            if times > 1 { return try await report(name, times: times, body) }
            var count = 0
            let spent = try await seconds { count = try await body() }
            print(String(format: "%@ %.3f ms cold, %d results", name, spent * 1000, count))
        }
        func windows(
            _ name: String, _ matchers: [LabelMatcher], _ range: TimeRange, _ step: Int64,
            _ aggregates: [WindowQuery.Aggregate]
        ) async throws {
            let range =
                range == all ? TimeRange(Timestamp(microseconds: Estate.start), Timestamp(microseconds: end)) : range
            try await asked(name) {
                let query = WindowQuery(
                    SeriesSelection(matchers, range: range), step: .seconds(step), aggregates: aggregates)
                return try await engine.windows(query, in: scope).reduce(0) { $0 + $1.starts.count }
            }
        }
        try await asked("latest-of-all") { try await engine.latest([], in: scope).count }
        try await windows("one-1h-by-1min", one, range(hour), 60, [.average])
        try await windows("eight-6h-by-5min", eight, range(6 * hour), 300, [.average])
        try await windows("all-by-1h-one-metric", [metric], all, hour, [.average])
        try await windows("all-by-1h-five-metrics", five, all, hour, [.average])
        try await windows("mean-of-everything", [], all, 1 << 40, [.average])
        try await asked("count-above") {
            try await engine.count(SeriesSelection([metric]), where: .above(21), in: scope)
        }
    }

    /// One question to a store that was made before, many times: by processor time too, because others use the machine.
    static func again(_ folder: String, _ rows: Int, _ question: String, _ times: Int) async throws {
        let engine = try await SeriesEngine.open(folder: folder, clock: WallClock())
        let used = processTime()
        try await ask(engine, rows: rows, only: question, times: times)
        print(
            String(format: "%@ %.2f ms of processor time each", question, (processTime() - used) / Double(times) * 1000)
        )
        await engine.close()
    }

    /// The first time, and the best of some.
    static func report(_ name: String, times: Int = 5, _ body: () async throws -> Int) async throws {
        var best = Double.infinity
        var first: Double?
        var count = 0
        for _ in 0..<times {
            let spent = try await seconds { count = try await body() }
            first = first ?? spent
            best = min(best, spent)
        }
        print(
            String(format: "%@ %.3f ms warm, %.3f ms first, %d results", name, best * 1000, (first ?? 0) * 1000, count))
    }

    static func csv(_ path: String, _ devices: String, _ rows: String) throws {
        guard let devices = Int(devices), let rows = Int(rows) else { return }
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { return }
        var estate = Estate(devices: devices, seed: 1)
        file.write(Data(("device,time," + Estate.fields.joined(separator: ",") + "\n").utf8))
        for first in stride(from: 0, to: rows, by: 30) {
            for device in 0..<devices {
                let table = estate.table(device, first: first, rows: min(30, rows - first))
                var text = ""
                for row in table.times.indices {
                    text += "d\(device),\(table.times[row])"
                    for column in table.columns {
                        switch column.values {
                        case .floats(let values): text += ",\(values[row])"
                        case .integers(let values): text += ",\(values[row])"
                        default: text += ","
                        }
                    }
                    text += "\n"
                }
                file.write(Data(text.utf8))
            }
        }
        try file.close()
    }
}

struct WallClock: TimeSource {
    func now() -> Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

    func wait(until deadline: Timestamp) async throws {}
}
