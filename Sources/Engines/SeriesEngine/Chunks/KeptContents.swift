import Synchronization

/// Chunks that questions have read and decoded, kept for the next ones: a page asks for the same stretches every few
/// seconds.
///
/// A chunk holds its own content, and takes it along when it is made anew. Those that were kept first go first.
final class KeptContents: Sendable {
    private struct Kept {
        weak var chunk: ChunkReference?
    }

    private let line = Mutex<[Kept]>([])
    private let bytes = Atomic(0)
    let bytesMax: Int

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Bytes of contents and of what is decoded of them, those included that only questions still hold.
    var byteCount: Int { bytes.load(ordering: .relaxed) }

    func grow(by count: Int) { bytes.add(count, ordering: .relaxed) }
    func shrink(by count: Int) { bytes.subtract(count, ordering: .relaxed) }

    /// Keeps the content of a chunk, and lets others go where there are too many.
    func keep(_ content: ChunkContent, of chunk: ChunkReference) {
        chunk.content.withLock { $0 = content }
        var gone: [ChunkContent] = []
        line.withLock { line in
            line.append(Kept(chunk: chunk))
            guard byteCount > bytesMax else { return }
            // Half of them, so that this comes seldom.
            let leaving = line.prefix(line.count / 2 + 1)
            for kept in leaving {
                if let content = kept.chunk?.content.withLock({ $0.take() }) { gone.append(content) }
            }
            line.removeFirst(leaving.count)
        }
        // Behind the lock: what goes tells of itself.
        gone.removeAll()
    }
}
