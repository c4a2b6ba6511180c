import VigilPorts

/// Chunks of one file that are made anew, written some hundred at once, because each transaction waits for the disk.
///
/// Questions see what is on the disk: the new chunks from the end of a transaction on. Use it under the turnstile, and
/// ``flush()`` it at the end.
struct ChunkChanges {
    private struct Change {
        let group: SourceGroup
        let removed: [ChunkReference]
        let added: [ChunkFile.NewChunk]
    }

    let file: ChunkFile
    private let memory: SeriesMemory
    private var changes: [Change] = []
    private var chunkCount = 0
    private var byteCount = 0
    /// What was written so far.
    private(set) var writtenBytes = 0

    private static let chunksMax = 512
    private static let bytesMax = 16 << 20

    init(_ file: ChunkFile, _ memory: SeriesMemory) {
        self.file = file
        self.memory = memory
    }

    /// Lets `added` take the place of chunks of the file; `added` may belong to other files, and be written already.
    mutating func replace(
        _ removed: [ChunkReference], by added: [ChunkFile.NewChunk], of group: SourceGroup
    ) throws(StoreError) {
        changes.append(Change(group: group, removed: removed, added: added))
        chunkCount += removed.count + added.count
        byteCount += added.reduce(0) { $0 + $1.data.count }
        if chunkCount >= Self.chunksMax || byteCount >= Self.bytesMax { try flush() }
    }

    mutating func flush() throws(StoreError) {
        if changes.isEmpty { return }
        let added = changes.flatMap(\.added)
        // Others first: after a crash in between the same readings are there twice, which is no harm, and not gone.
        for (_, some) in Dictionary(grouping: added.filter { $0.reference.file !== file }, by: \.fileIdentity) {
            try some[0].reference.file.write(removing: [], adding: some, sealed: nil)
        }
        try file.write(
            removing: changes.flatMap { $0.removed.map(\.id) }, adding: added.filter { $0.reference.file === file },
            sealed: nil)
        for (_, some) in Dictionary(grouping: changes, by: { $0.group.number }) {
            memory.replace(
                some.flatMap(\.removed), by: some.flatMap { $0.added.map(\.reference) }, of: some[0].group)
        }
        writtenBytes += byteCount
        (changes, chunkCount, byteCount) = ([], 0, 0)
    }
}

extension ChunkFile.NewChunk {
    fileprivate var fileIdentity: ObjectIdentifier { ObjectIdentifier(reference.file) }
}
