import Synchronization
import VigilModel
package import VigilPorts

/// Counts what the engine does to keep itself in order.
final class CareCounters: Sendable {
    enum Kind: String, CaseIterable {
        case seal, compact, retention, delete
    }

    private let works: Mutex<[Kind: SeriesCareFigures.Work]>
    private let clock: any TimeSource

    init(clock: any TimeSource) {
        self.clock = clock
        works = Mutex(
            Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, SeriesCareFigures.Work($0.rawValue)) }))
    }

    var all: [SeriesCareFigures.Work] {
        let works = works.withLock { $0 }
        return Kind.allCases.compactMap { works[$0] }
    }

    func begin(_ kind: Kind) -> Timestamp {
        works.withLock { $0[kind]?.isRunning = true }
        return clock.now()
    }

    func end(_ kind: Kind, since start: Timestamp, isFailed: Bool = false) {
        let taken = Int((clock.now() - start).microseconds)
        works.withLock { works in
            works[kind]?.isRunning = false
            works[kind]?.runs += 1
            works[kind]?.microseconds += max(0, taken)
            if isFailed { works[kind]?.failures += 1 }
        }
    }

    func wrote(_ bytes: Int, for kind: Kind) { works.withLock { $0[kind]?.bytes += bytes } }

    /// Does work of a kind and counts it.
    func count<Result>(
        _ kind: Kind, isolation: isolated (any Actor)? = #isolation, _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let start = begin(kind)
        do throws(StoreError) {
            let result = try await body()
            end(kind, since: start)
            return result
        } catch {
            end(kind, since: start, isFailed: true)
            throw error
        }
    }
}

extension SeriesEngine {
    package func figures() -> SeriesCareFigures {
        let (chunks, rollups) = memory.counts(catalogue.allGroups)
        return SeriesCareFigures(
            works: counters.all, waitingBytes: log.waitingBytes, logBytes: log.writtenBytes, chunks: chunks,
            rollups: rollups)
    }
}

extension SeriesMemory {
    func counts(_ groups: [SourceGroup]) -> (chunks: Int, rollups: Int) {
        locked { groups.reduce(into: (0, 0)) { $0 = ($0.0 + $1.chunks.count, $0.1 + $1.rollups.count) } }
    }
}
