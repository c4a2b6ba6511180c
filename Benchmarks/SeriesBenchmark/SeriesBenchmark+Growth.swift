import Foundation
import VigilModel
import VigilPorts

@testable import SeriesEngine

extension SeriesBenchmark {
    /// A store that grows tenfold and tenfold again: what a question about the last quarter of an hour and an append cost
    /// then, what the store takes on the disk and in memory, and how long a start takes.
    static func grow(_ folder: String, _ devices: Int, _ points: [Int], memoryBytes: Int) async throws {
        var configuration = SeriesConfiguration()
        configuration.memoryBytesMax = memoryBytes
        var engine = try await SeriesEngine.open(folder: folder, clock: WallClock(), configuration: configuration)
        var estate = Estate(devices: devices, seed: 1)
        var (row, openMost) = (0, 0)
        for target in points {
            let rows = target / devices / Estate.fields.count
            let (first, used) = (row, processTime())
            var spent = 0.0
            while row < rows {
                let some = min(10, rows - row)
                for part in stride(from: 0, to: devices, by: 100) {
                    let tables = (part..<min(part + 100, devices)).map {
                        estate.table($0, first: row, rows: some)
                    }
                    let batch = ReadingBatch(tables: tables, arrival: Timestamp(microseconds: Estate.start))
                    spent += try await seconds { _ = try await engine.append(batch, in: scope) }
                    openMost = max(openMost, engine.memory.totals.bytes)
                }
                row += some
            }
            let added = Double((row - first) * devices * Estate.fields.count)
            print(
                String(
                    format: "grow-%d append %.0f points/s, %.0f points per processor second (estate, log, sealing)",
                    target, added / spent, added / (processTime() - used)))
            try await bounded(engine, target, last: Estate.start + Int64(row) * Estate.intervalMicroseconds)
        }
        print("grow-memory open rows \(openMost >> 20) MB at most, setting \(memoryBytes >> 20) MB, peak \(peak()) MB")
        try await sizes(engine, "sealed", Double(points.last ?? 1)) { try await engine.seal() }
        try await sizes(engine, "compact", Double(points.last ?? 1)) { try await engine.compact() }
        await engine.close()
        print(
            "grow-start \(try await seconds { engine = try await SeriesEngine.open(folder: folder, clock: WallClock()) }) s"
        )
        print("grow-resident \(residentBytes() >> 20) MB")
        await engine.close()
    }

    private static func bounded(_ engine: SeriesEngine, _ target: Int, last: Int64) async throws {
        let range = TimeRange(
            Timestamp(microseconds: last - 900_000_000), Timestamp(microseconds: last + 100_000_000))
        let metric = LabelMatcher.metric("estate_temperature")
        for (name, matcher) in [
            ("one-15min-by-1min", LabelMatcher("device", .equal, "d7")),
            ("eight-15min-by-1min", LabelMatcher("device", .matches, "d[1-8]")),
        ] {
            try await report("grow-\(target)-\(name)") {
                let query = WindowQuery(
                    SeriesSelection([metric, matcher], range: range), step: .seconds(60), aggregates: [.average])
                return try await engine.windows(query, in: scope).reduce(0) { $0 + $1.starts.count }
            }
        }
        try await report("grow-\(target)-latest-of-all") { try await engine.latest([], in: scope).count }
    }

    private static func sizes(
        _ engine: SeriesEngine, _ name: String, _ points: Double, _ body: () async throws -> Void
    ) async throws {
        let used = processTime()
        try await body()
        let bytes = try await engine.statistics().diskBytes
        print(
            String(
                format: "size-%@ %.4f bytes/point in %d chunks, %.1f s of processor time", name, Double(bytes) / points,
                engine.figures().chunks, processTime() - used))
    }

    /// Devices that report once a minute, sealed every hour for days: what that leaves, and what compaction makes of it.
    static func trickle(_ folder: String, _ devices: Int, _ fields: Int, _ days: Int) async throws {
        var configuration = SeriesConfiguration()
        // As it was without compaction in the background: seals here are asked for one by one.
        configuration.logBytesMax = .max
        let engine = try await SeriesEngine.open(folder: folder, clock: WallClock(), configuration: configuration)
        var random = SplitMix(state: 5)
        let sources = (0..<devices).map {
            SeriesSource(device: DeviceID(high: 8, low: UInt64($0)), measurement: "slow")
        }
        let start = Int64(Date().timeIntervalSince1970) / 3600 * 3_600_000_000 - Int64(days) * 86_400_000_000
        var levels = [Int](repeating: 200, count: devices * fields)
        for hour in 0..<days * 24 {
            let tables = sources.enumerated().map { device, source in
                let columns = (0..<fields).map { field -> ReadingColumn in
                    let values = (0..<60).map { _ -> Double in
                        let dice = random.next()
                        levels[device * fields + field] += dice & 7 == 0 ? Int(dice >> 3 & 2) - 1 : 0
                        return Double(levels[device * fields + field]) / 10
                    }
                    return ReadingColumn(field: "f\(field)", values: .floats(values))
                }
                let times = (0..<60).map { start + (Int64(hour) * 60 + Int64($0)) * 60_000_000 + Int64(device) }
                return ReadingTable(source: source, times: times, columns: columns)
            }
            _ = try await engine.append(
                ReadingBatch(tables: tables, arrival: Timestamp(microseconds: start)), in: scope)
            try await engine.seal()
        }
        let points = Double(devices * fields * days * 1440)
        try await sizes(engine, "trickle-\(fields)-fields-sealed", points) {}
        try await sizes(engine, "trickle-\(fields)-fields-background", points) { await engine.compactInBackground() }
        try await sizes(engine, "trickle-\(fields)-fields-compact", points) { try await engine.compact() }
        await engine.close()
    }

    /// Asks a store that was made before, opened anew for each question and with nothing of it in the page cache.
    static func cold(_ folder: String, _ rows: Int) async throws {
        for question in questions {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let file = open(folder + "/" + name, O_RDONLY)
                guard file >= 0 else { continue }
                fsync(file)
                posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
                close(file)
            }
            let start = ContinuousClock().now
            let engine = try await SeriesEngine.open(folder: folder, clock: WallClock())
            if question == questions.first {
                print("start-cold \((ContinuousClock().now - start) / .seconds(1)) s, \(residentBytes() >> 20) MB")
            }
            try await ask(engine, rows: rows, only: question)
            await engine.close()
        }
    }

    /// The least bytes that a point of the estate can take: what its dice decide, in bits, by how probable each outcome is.
    static func entropy() {
        func bits(_ shares: [Double]) -> Double { shares.reduce(0) { $0 - ($1 > 0 ? $1 * log2($1) : 0) } }
        let moves: [(String, [Double])] = [
            ("temperature", [7.0 / 8, 1.0 / 16, 1.0 / 16]),
            ("pressure", [Double](repeating: 1.0 / 8, count: 8)),
            ("humidity", [15.0 / 16, 1.0 / 32, 1.0 / 32]),
            ("voltage", [Double](repeating: 1.0 / 32, count: 32)),
            ("flow", [Double](repeating: 1.0 / 64, count: 64)),
            ("energy", [Double](repeating: 1.0 / 4, count: 4)),
            ("state", [1 - 3.0 / 1024] + [Double](repeating: 1.0 / 1024, count: 3)),
            ("latitude", [31.0 / 32 + 1.0 / 2048] + [Double](repeating: 1.0 / 2048, count: 63)),
        ]
        var sum = 0.0
        for (name, shares) in moves {
            sum += bits(shares) / 8
            print(String(format: "entropy %@ %.4f bytes/value", name, bits(shares) / 8))
        }
        print(String(format: "entropy-of-a-point %.4f bytes", sum / Double(Estate.fields.count)))
    }

    /// Seconds on a processor of all threads of this process.
    static func processTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The most memory that this process had, in MB.
    private static func peak() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0)
            / 1024
    }
}
