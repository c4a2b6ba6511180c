import Synchronization
import VigilPorts

/// Reads chunks from their files, each once as long as its group is being read.
final class ChunkSource {
    private var contents: [ObjectIdentifier: ChunkContent] = [:]
    private var rollups: [RollupKey: RollupContent] = [:]
    private var bytes = 0
    /// Keeps what is read for other questions; `nil` where it is too much for that.
    private let kept: KeptContents?

    init(keepingIn kept: KeptContents? = nil) {
        self.kept = kept
    }

    private struct RollupKey: Hashable {
        let chunk: ObjectIdentifier
        let resolution: RollupResolution
    }

    /// Compressed bytes that are kept.
    private static let bytesMax = 16 << 20

    /// - Throws: `contention` when the chunk was made anew meanwhile: take a new snapshot then.
    func content(_ chunk: ChunkReference) throws(StoreError) -> ChunkContent {
        if let content = chunk.content.withLock({ $0 }) ?? contents[ObjectIdentifier(chunk)] { return content }
        guard let content = try chunk.file.content(of: chunk.id, keptIn: kept) else {
            throw StoreError(.contention, "a chunk was replaced while it was read")
        }
        if let kept {
            kept.keep(content, of: chunk)
            return content
        }
        if bytes + content.byteCount > Self.bytesMax { removeAll() }
        bytes += content.byteCount
        contents[ObjectIdentifier(chunk)] = content
        return content
    }

    /// - Throws: `contention` when the chunk was made anew meanwhile: take a new snapshot then.
    func rollup(_ chunk: ChunkReference, _ resolution: RollupResolution) throws(StoreError) -> RollupContent {
        let key = RollupKey(chunk: ObjectIdentifier(chunk), resolution: resolution)
        if let content = rollups[key] { return content }
        guard let content = try chunk.file.rollup(of: chunk.id, resolution) else {
            throw StoreError(.contention, "a chunk was replaced while it was read")
        }
        if bytes + content.byteCount > Self.bytesMax { removeAll() }
        bytes += content.byteCount
        rollups[key] = content
        return content
    }

    func removeAll() {
        contents = [:]
        rollups = [:]
        bytes = 0
    }
}
