import Foundation
import StoreContracts
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

@Suite struct SeriesEngineContractTests {
    @Test(arguments: SeriesContract.clauses)
    func `the embedded series store keeps the contract`(_ clause: SeriesContract.Clause) async throws {
        let folder = TemporaryFolder()
        let opened = OpenedEngine(folder: folder)
        let store = try await opened.engine()
        try await ContractReport.shared.check(
            clause, port: "series", store: "embedded", SeriesSubject(store) { try await opened.engine() })
        await opened.end()
    }
}

/// The one engine that is open on a folder.
actor OpenedEngine {
    private let folder: TemporaryFolder
    private var current: SeriesEngine?

    init(folder: TemporaryFolder) {
        self.folder = folder
    }

    /// Ends the engine that is open and opens the folder again.
    func engine(configuration: SeriesConfiguration = SeriesConfiguration()) async throws -> SeriesEngine {
        await end()
        let engine = try await SeriesEngine.open(
            folder: folder.path, clock: HandClock(), configuration: configuration)
        current = engine
        return engine
    }

    func end() async {
        await current?.close()
        current = nil
    }
}

/// A folder that is gone with its last reference.
final class TemporaryFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-\(UUID().uuidString)").path

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A clock that tests move by hand.
struct HandClock: TimeSource {
    var moment = Timestamp(seconds: 1_700_001_000)

    func now() -> Timestamp { moment }

    func wait(until deadline: Timestamp) async throws {
        try Task.checkCancellation()
    }
}
