import Foundation
import Testing
import VigilModel
import VigilServices

@Suite struct ImportTests {
    /// The folder of shared data; a checkout lies beside it.
    private static let shared = ProcessInfo.processInfo.environment["VIGIL_SHARED"] ?? "../shared"
    private static let file = shared + "/data/machine_temperature_system_failure.csv"

    private static func pieces() throws -> AsyncThrowingStream<[UInt8], any Error> {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        return AsyncThrowingStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: 65_536) {
                continuation.yield(Array(bytes[start..<min(start + 65_536, bytes.count)]))
            }
            continuation.finish()
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: file), "the shared data is not here"))
    func `an import raises the alerts of the past, each at its time, and a second one raises none`() async throws {
        try await withWorld { world in
            var form = RuleForm(name: "Too cold", metric: "temperature", condition: "below")
            form.threshold = 60
            form.unit = "degF"
            form.holdSeconds = 1800
            _ = try await world.alerting.createRule(form, by: world.principal)
            var plan = CSVImport(device: "machine-1", metric: "temperature")
            plan.unit = "degF"
            plan.evaluate = true
            let first = try await world.ingest.importCSV(try Self.pieces(), plan, by: world.principal)
            #expect(first.rows == 22_695)
            #expect(first.stored == 22_683)
            #expect(first.replaced == 12)
            #expect(first.refused == 0)
            #expect(first.alerts == 14)
            let alerts = try await world.alerts()
            #expect(alerts.count == 14)
            #expect(alerts.first?.eventTime == "2013-12-05T18:00:00Z")
            #expect(alerts.last?.eventTime == "2014-02-07T14:15:00Z")
            let second = try await world.ingest.importCSV(try Self.pieces(), plan, by: world.principal)
            #expect(second.stored == 0)
            #expect(second.replaced == 22_695)
            #expect(second.alerts == 0)
            #expect(try await world.alerts().count == 14)
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: file), "the shared data is not here"))
    func `old readings raise nothing unless asked`() async throws {
        try await withWorld { world in
            var form = RuleForm(name: "Too cold", metric: "temperature", condition: "below")
            form.threshold = 60
            _ = try await world.alerting.createRule(form, by: world.principal)
            let plan = CSVImport(device: "machine-1", metric: "temperature")
            let receipt = try await world.ingest.importCSV(try Self.pieces(), plan, by: world.principal)
            #expect(receipt.alerts == 0)
            #expect(try await world.alerts().isEmpty)
        }
    }
}
