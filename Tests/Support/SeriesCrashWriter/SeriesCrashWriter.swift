import Foundation
import SeriesEngine
import VigilModel
import VigilPorts

/// Appends batches without end, compacting beside it, and says after each which it was, so that a test can kill it at any moment and hold the
/// folder against what was promised: `SeriesCrashWriter FOLDER FIRST`.
@main
enum SeriesCrashWriter {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, var number = Int64(arguments[2]) else { exit(2) }
        var configuration = SeriesConfiguration()
        // Seals every few hundred batches, so that kills hit it too.
        configuration.logBytesMax = 64 << 10
        // No seal makes chunks one, so that compaction has something to do, in the background and here.
        configuration.smallChunkSamplesMax = 1
        let engine = try await SeriesEngine.open(
            folder: arguments[1], clock: WallClock(), configuration: configuration)
        // Two ways to be kept, so that a seal writes several files.
        engine.keep { _, series in
            series.metric == "a" ? SeriesRetention(RetentionBounds(hot: .age(.days(36_500)))) : .forever
        }
        let scope = SystemScope.tenant(TenantID(high: 1, low: 1), "being killed")
        let sources = (0..<3).map { SeriesSource(device: nil, labels: ["source": "\($0)"]) }
        while true {
            let batch = number
            let tables = sources.map { source in
                ReadingTable(
                    // Every seventh reading is late, so that older chunks change; a microsecond beside those it comes among.
                    source: source, times: [batch % 7 == 0 ? (batch - 5_000) * 1_000_000 + 1 : batch * 1_000_000],
                    columns: [
                        ReadingColumn(field: "a", values: .integers([batch])),
                        ReadingColumn(field: "b", values: .texts(["batch \(batch)"])),
                    ])
            }
            _ = try await engine.append(
                ReadingBatch(tables: tables, arrival: Timestamp(seconds: batch)), in: scope)
            FileHandle.standardOutput.write(Data("\(batch)\n".utf8))
            number += 1
            if number % 200 == 0 { Task { try? await engine.compact() } }
        }
    }
}

/// The system's clock.
private struct WallClock: TimeSource {
    func now() -> Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

    func wait(until deadline: Timestamp) async throws {
        throw CancellationError()
    }
}
