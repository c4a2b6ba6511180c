import Synchronization
import VigilPorts

/// All chunk files: those of the folder and of the warm folder, one for each place, and those of the archive that are
/// attached.
final class ChunkStore: Sendable {
    let placement: ChunkPlacement
    private let folder: String
    private let warmFolder: String
    private let cacheBytes: Int
    private struct State {
        var files: [ChunkPlace: ChunkFile] = [:]
        var attached: [String: ChunkFile] = [:]
        var unreadable: [UnreadableFile] = []
        var decide: RetentionDecision?
        var lastIdentifier: Int64 = 0
        var lastGeneration: Int64 = 0
    }
    private let state = Mutex(State())

    /// The most samples of one series in a chunk.
    static let samplesMax = 1 << 14
    /// The most series in a chunk.
    static let seriesMax = 64
    /// A newest chunk with fewer samples per series than this is made one with what comes next.
    let smallMax: Int

    /// - Parameters:
    ///   - names: The files of the folder.
    ///   - warmNames: Those of the warm folder; what is in both was being moved, and is whole in the first.
    init(
        folder: String, names: [String], warmFolder: String, warmNames: [String], placement: ChunkPlacement,
        cacheBytes: Int, smallMax: Int
    ) throws(StoreError) {
        self.smallMax = smallMax
        self.folder = folder
        self.warmFolder = warmFolder
        self.cacheBytes = cacheBytes
        self.placement = placement
        for (folder, names, tier) in [(folder, names, RetentionBounds.Tier.hot), (warmFolder, warmNames, .warm)] {
            for name in names {
                guard let place = FileNames.place(name), state.withLock({ $0.files[place] }) == nil else { continue }
                do throws(StoreError) {
                    let file = try ChunkFile(
                        folder: folder, name: name, place: place, placement, tier: tier, cacheBytes: cacheBytes)
                    state.withLock { $0.files[place] = file }
                } catch  where error.code == .damaged {
                    leaveOut((placement.start(of: place), placement.end(of: place)), error)
                }
            }
        }
    }

    /// The files that could not be read at the start.
    var unreadable: [UnreadableFile] { state.withLock { $0.unreadable } }

    /// Goes on without a file.
    func leaveOut(_ stretch: (start: Int64, end: Int64), _ error: StoreError) {
        state.withLock { $0.unreadable.append(UnreadableFile(stretch: stretch, error: error)) }
    }

    /// Everything that the files hold; a file that cannot be read is left out.
    func load() throws(StoreError) -> [ChunkReference] {
        var all: [ChunkReference] = []
        let files = state.withLock { Array($0.files.values) + Array($0.attached.values) }
        for file in files {
            do throws(StoreError) {
                all += try file.references()
            } catch  where error.code == .damaged {
                leaveOut(file.stretch, error)
                state.withLock { state in
                    state.files = state.files.filter { $0.value !== file }
                    state.attached = state.attached.filter { $0.value !== file }
                }
                file.close()
            }
        }
        raise(identifier: all.map(\.id).max() ?? 0, generation: all.map(\.generation).max() ?? 0)
        return all.sorted { $0.generation < $1.generation }
    }

    // MARK: - Places

    /// Says from now on how each series is kept.
    func keep(_ decide: @escaping RetentionDecision) { state.withLock { $0.decide = decide } }

    var isDecided: Bool { state.withLock { $0.decide != nil } }

    /// How a series is kept; for ever, where nobody has said anything.
    func retention(of entry: SeriesEntry) -> SeriesRetention {
        guard let decide = state.withLock({ $0.decide }) else { return .forever }
        return decide(entry.group.tenant, entry.identity)
    }

    /// The position up to which readings of this time are in files.
    func sealed(for time: Int64) -> Int64 {
        state.withLock { state in
            Set(state.files.keys.map(\.bounds))
                .compactMap { state.files[placement.place(of: time, $0)]?.sealed }.max() ?? 0
        }
    }

    var sealedMax: Int64 { state.withLock { $0.files.values.map(\.sealed).max() ?? 0 } }

    func file(_ place: ChunkPlace) throws(StoreError) -> ChunkFile {
        if let file = state.withLock({ $0.files[place] }) { return file }
        let file = try ChunkFile(
            folder: folder, name: FileNames.chunks(place), place: place, placement, tier: .hot,
            cacheBytes: cacheBytes)
        state.withLock { $0.files[place] = file }
        return file
    }

    /// Puts `file` in the place of the one that was there; `nil` takes it away.
    func set(_ file: ChunkFile?, at place: ChunkPlace) { state.withLock { $0.files[place] = file } }

    func attached(_ name: String) -> ChunkFile? { state.withLock { $0.attached[name] } }
    func attach(_ file: ChunkFile?, as name: String) { state.withLock { $0.attached[name] = file } }
    var attachedFiles: [ChunkFile] { state.withLock { Array($0.attached.values) } }

    /// Gives out no number up to these.
    func raise(identifier: Int64, generation: Int64) {
        state.withLock {
            $0.lastIdentifier = max($0.lastIdentifier, identifier)
            $0.lastGeneration = max($0.lastGeneration, generation)
        }
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

    /// The files, the oldest first; without those of the archive.
    var chunkFiles: [ChunkFile] {
        let files = state.withLock { $0.files }
        return files.sorted { left, right in
            (placement.start(of: left.key), left.value.name) < (placement.start(of: right.key), right.value.name)
        }
        .map(\.value)
    }

    func close() {
        for file in state.withLock({ Array($0.files.values) + Array($0.attached.values) }) { file.close() }
    }
}
