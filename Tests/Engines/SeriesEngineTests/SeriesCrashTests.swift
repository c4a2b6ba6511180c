import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// A writer that is killed at random instants.
///
/// `make soak` sets `VIGIL_SOAK_ROUNDS` to many more rounds.
@Suite struct SeriesCrashTests {
    private static let scope = SystemScope.tenant(TenantID(high: 1, low: 1), "testing")

    private static var writer: URL {
        let binary = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return binary.deletingLastPathComponent().appending(path: "SeriesCrashWriter")
    }

    /// Lets the writer run for `milliseconds` after its first promise (0: from its start), kills it, and returns the last batch
    /// that it promised.
    private func killed(_ folder: String, from first: Int64, after milliseconds: Int32, fromStart: Bool) throws -> Int64
    {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = Self.writer
        process.arguments = [folder, String(first)]
        process.standardOutput = pipe
        try process.run()
        let handle = pipe.fileHandleForReading
        var output = Data()
        if !fromStart { output += handle.availableData }
        let end = ContinuousClock.now + .milliseconds(Int(milliseconds))
        while ContinuousClock.now < end {
            var waiting = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 1) > 0 else { continue }
            let more = handle.availableData
            if more.isEmpty { break }
            output += more
        }
        kill(process.processIdentifier, SIGKILL)
        output += try handle.readToEnd() ?? Data()
        process.waitUntilExit()
        // A line that was cut off promised nothing.
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().last.flatMap { Int64($0) } ?? first - 1
    }

    @Test func `every acknowledged point is there and none that was never sent, whenever the process is killed`()
        async throws
    {
        let rounds = ProcessInfo.processInfo.environment["VIGIL_SOAK_ROUNDS"].flatMap { Int($0) } ?? 20
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let folder = TemporaryFolder()
        var next: Int64 = 10_000
        for round in 0..<rounds {
            let fromStart = round % 5 == 4
            let milliseconds = Int32.random(in: 0..<(fromStart ? 120 : 60), using: &random)
            let promised = try killed(folder.path, from: next, after: milliseconds, fromStart: fromStart)
            let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
            #expect(engine.damage.isEmpty, "seed \(seed) round \(round): \(engine.damage)")
            let found = try await Self.batches(engine, "seed \(seed) round \(round)")
            let last = found.last ?? 9_999
            #expect(last == promised || last == promised + 1, "seed \(seed) round \(round): \(last), not \(promised)")
            #expect(found == Array(10_000..<(last + 1)), "seed \(seed) round \(round): a hole")
            await engine.close()
            next = last + 1
        }
        if rounds > 20 {
            FileHandle.standardError.write(
                Data("kill -9: \(rounds) rounds, \(next - 10_000) batches, all there (seed \(seed))\n".utf8))
        }
    }

    /// The batches that are there, each whole.
    private static func batches(_ engine: SeriesEngine, _ place: String) async throws -> [Int64] {
        var counts: [Int64: Int] = [:]
        let cursor = try await engine.samples(SeriesSelection([]), in: scope)
        while let piece = try await cursor.next() {
            for sample in piece.samples {
                let batch: Int64?
                switch sample.value {
                case .integer(let value): batch = value
                case .text(let text): batch = Int64(text.dropFirst("batch ".count))
                default: batch = nil
                }
                guard let batch else {
                    Issue.record("\(place): a value that was never sent")
                    continue
                }
                let time = batch % 7 == 0 ? (batch - 5_000) * 1_000_000 + 1 : batch * 1_000_000
                #expect(sample.time.microseconds == time, "\(place): a time that was never sent")
                counts[batch, default: 0] += 1
            }
        }
        for (batch, count) in counts where count != 6 { Issue.record("\(place): batch \(batch) has \(count) of 6") }
        return counts.keys.sorted()
    }
}
