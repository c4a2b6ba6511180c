import Synchronization
import VigilPorts

/// All chunk files of a folder, one per period.
final class ChunkStore: Sendable {
    private let folder: String
    private let periodLength: Int64
    private let cacheBytes: Int
    private struct State {
        var files: [Int64: ChunkFile] = [:]
        var lastIdentifier: Int64 = 0
        var lastGeneration: Int64 = 0
    }
    private let state = Mutex(State())

    /// The most samples of one series in a chunk.
    static let samplesMax = 1 << 14
    /// The most series in a chunk.
    static let seriesMax = 64
    /// A newest chunk with fewer samples per series than this is made one with what comes next.
    static let smallMax = 1 << 12

    init(folder: String, names: [String], periodLength: Int64, cacheBytes: Int) throws(StoreError) {
        self.folder = folder
        self.periodLength = periodLength
        self.cacheBytes = cacheBytes
        for name in names {
            guard let period = FileNames.period(name) else { continue }
            let file = try ChunkFile(folder: folder, name: name, period: period, cacheBytes: cacheBytes)
            state.withLock { $0.files[period] = file }
        }
    }

    /// Everything that the files hold.
    func load() throws(StoreError) -> [ChunkReference] {
        var all: [ChunkReference] = []
        for file in state.withLock({ Array($0.files.values) }) { all += try file.references() }
        let (identifier, generation) = (all.map(\.id).max() ?? 0, all.map(\.generation).max() ?? 0)
        state.withLock {
            $0.lastIdentifier = identifier
            $0.lastGeneration = generation
        }
        return all.sorted { $0.generation < $1.generation }
    }

    func period(of time: Int64) -> Int64 {
        let (quotient, rest) = time.quotientAndRemainder(dividingBy: periodLength)
        return rest < 0 ? quotient - 1 : quotient
    }

    /// The first moment after the period of `time`.
    func periodEnd(of time: Int64) -> Int64 { (period(of: time) + 1) * periodLength }

    /// The position up to which readings of this time are in a file.
    func sealed(for time: Int64) -> Int64 {
        let period = period(of: time)
        return state.withLock { $0.files[period]?.sealed ?? 0 }
    }

    var sealedMax: Int64 { state.withLock { $0.files.values.map(\.sealed).max() ?? 0 } }

    func file(_ period: Int64) throws(StoreError) -> ChunkFile {
        if let file = state.withLock({ $0.files[period] }) { return file }
        let file = try ChunkFile(
            folder: folder, name: FileNames.chunks(period), period: period, cacheBytes: cacheBytes)
        state.withLock { $0.files[period] = file }
        return file
    }

    func nextIdentifier() -> Int64 {
        state.withLock {
            $0.lastIdentifier += 1
            return $0.lastIdentifier
        }
    }

    func nextGeneration() -> Int64 {
        state.withLock {
            $0.lastGeneration += 1
            return $0.lastGeneration
        }
    }

    /// The files, oldest period first.
    var chunkFiles: [ChunkFile] {
        state.withLock { $0.files }.sorted { $0.key < $1.key }.map(\.value)
    }

    func close() {
        for file in state.withLock({ Array($0.files.values) }) { file.close() }
    }
}
