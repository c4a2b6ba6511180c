import Foundation
import VigilModel
import VigilPorts

@testable import SeriesEngine

extension SeriesBenchmark {
    /// A month of readings every ten seconds, asked by the day: on whole days, where rollups answer, and a second
    /// beside them, where every sample is read.
    ///
    /// Then the readings go, and what is kept of them answers.
    static func month(_ folder: String, _ devices: Int) async throws {
        let day: Int64 = 86_400_000_000
        let rows = 30 * 8640
        let engine = try await SeriesEngine.open(folder: folder, clock: WallClock())
        engine.keep { _, _ in
            SeriesRetention(
                RetentionBounds(hot: .age(.days(36_500))),
                rollups: RollupBounds(minute: .forever, hour: .forever, day: .forever))
        }
        var estate = Estate(devices: devices, seed: 1)
        let first = (Estate.start / day + 1) * day
        for from in stride(from: 0, to: rows, by: 2160) {
            for device in 0..<devices {
                let made = estate.table(device, first: from, rows: 2160)
                let table = ReadingTable(
                    source: made.source, times: (0..<2160).map { first + Int64(from + $0) * 10_000_000 },
                    columns: made.columns)
                let batch = ReadingBatch(tables: [table], arrival: Timestamp(microseconds: first))
                _ = try await engine.append(batch, in: scope)
            }
        }
        try await engine.seal()
        let points = devices * rows * Estate.fields.count
        let files = try await engine.sizes()
        print("size \(Double(files.reduce(0) { $0 + $1.bytes }) / Double(points)) bytes/point of \(points)")
        let bytes = try engine.store.chunkFiles.reduce(0) { try $0 + $1.rollupBytes() }
        print("rollups-beside-chunks \(Double(bytes) / Double(points)) bytes/point")
        func ask(_ name: String, _ shift: Int64, _ matchers: [LabelMatcher], _ step: Int64) async throws {
            let range = TimeRange(
                Timestamp(microseconds: first + shift), Timestamp(microseconds: first + 30 * day + shift))
            let query = WindowQuery(
                SeriesSelection(matchers, range: range), step: Span(microseconds: step),
                aggregates: [.count, .average, .minimum, .maximum, .increase])
            try await report(name) { try await engine.windows(query, in: scope).reduce(0) { $0 + $1.starts.count } }
        }
        let metric = [LabelMatcher.metric("estate_temperature")]
        for (name, matchers) in [("one-metric", metric), ("all-metrics", [])] {
            try await ask("month-by-1d-\(name)-rollups", 0, matchers, day)
            try await ask("month-by-1d-\(name)-samples", 1_000_000, matchers, day)
        }
        let used = processTime()
        let spent = try await seconds {
            _ = try await engine.applyRetention(
                at: Timestamp(microseconds: first + 40_000 * day), isDryRun: false)
        }
        print(String(format: "retention %.2f s, %.2f s of processor time", spent, processTime() - used))
        let kept = try await engine.sizes().filter { $0.kind == "rollups" }.reduce(0) { $0 + $1.bytes }
        print("kept-rollups \(Double(kept) / Double(points)) bytes/point")
        for (name, step) in [("1d", day), ("1h", day / 24), ("1min", day / 1440)] {
            try await ask("month-by-\(name)-one-metric-kept", 0, metric, step)
        }
        await engine.close()
    }
}
