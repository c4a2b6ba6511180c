import Foundation
import Logging
import SeriesEngine
import StorageKit
package import VigilPorts

/// Reads every checksum of the series store, for `vigil series verify`: through the server that holds the folder, else by itself.
package struct SeriesVerifying: Sendable {
    private let settings: Settings

    package init(settings: Settings) {
        self.settings = settings
    }

    /// What was found, for people.
    package struct Result: Codable, Sendable {
        package var found: SeriesVerification

        package var isSound: Bool { found.damage.isEmpty }

        package var lines: [String] {
            var lines = found.damage.map { damage in
                var line = "DAMAGE: \(damage.file)"
                if let offset = damage.offset { line += ", offset \(offset)" }
                if let chunk = damage.chunk { line += ", chunk \(chunk)" }
                return line + ": \(damage.reason)"
            }
            lines.append("\(found.files) files, \(found.pages) pages, \(found.chunks) chunks read")
            return lines
        }

        package func encode(to encoder: any Encoder) throws { try found.encode(to: encoder) }
        package init(from decoder: any Decoder) throws { found = try SeriesVerification(from: decoder) }
        init(found: SeriesVerification) { self.found = found }
    }

    package func run() async throws -> Result {
        do {
            let folder = try DataFolder(settings.data)
            let configuration = StoreFactory.seriesConfiguration(settings)
            do throws(StoreError) {
                return Result(found: try await Self.openedAndVerified(folder.series, configuration))
            } catch  where error.code == .damaged {
                return Result(found: try SeriesEngine.verify(folder: folder.series, configuration: configuration))
            }
        } catch is FolderLock.Held {
            let answer = try await LocalAPI(settings: settings, logger: Logger(label: "vigil")).call(
                "POST", "/api/local/series/verify")
            return try JSONDecoder().decode(Result.self, from: Data(answer.body))
        }
    }

    /// Opened as a whole, so that the log is read too.
    private static func openedAndVerified(
        _ folder: String, _ configuration: SeriesConfiguration
    ) async throws(StoreError) -> SeriesVerification {
        let engine = try await SeriesEngine.open(folder: folder, clock: SystemClock(), configuration: configuration)
        do throws(StoreError) {
            let found = try await engine.verify()
            await engine.close()
            return found
        } catch {
            await engine.close()
            throw error
        }
    }
}
