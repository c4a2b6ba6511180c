extension SeriesMemory {
    /// Sets the open rows of each group aside; new rows begin behind them.
    ///
    /// Rows that were set aside before and did not get into a file stay first.
    func freeze(_ groups: [SourceGroup]) {
        locked {
            for group in groups where !group.blocks.isEmpty {
                group.frozen += group.blocks
                group.blocks = []
            }
        }
    }

    func frozen(_ group: SourceGroup) -> (blocks: [OpenBlock], chunks: [ChunkReference]) {
        locked { (group.frozen, group.chunks) }
    }

    /// Lets questions see other chunks, and at the same moment what is kept of those that went.
    func replace(
        _ removed: [ChunkReference], by added: [ChunkReference], of group: SourceGroup,
        rollups: RollupChange = RollupChange()
    ) {
        locked {
            if !rollups.isEmpty {
                let old = Set(rollups.removed.map(ObjectIdentifier.init))
                group.rollups.removeAll { old.contains(ObjectIdentifier($0)) }
                group.rollups += rollups.added.map(\.reference)
            }
            let gone = Set(removed.map(ObjectIdentifier.init))
            group.chunks.removeAll { gone.contains(ObjectIdentifier($0)) }
            group.chunks += added
            group.chunks.sort { ($0.generation, $0.id) < ($1.generation, $1.id) }
            let isNewestGone = group.newest.contains { gone.contains(ObjectIdentifier($0)) }
            group.newest = Self.newest(of: isNewestGone ? group.chunks : group.newest + added)
            chunkSamples += added.reduce(0) { $0 + $1.sampleCount } - removed.reduce(0) { $0 + $1.sampleCount }
        }
    }

    func rollups(_ group: SourceGroup) -> [RollupReference] { locked { group.rollups } }

    /// Forgets the rows that were set aside: they are in files now.
    func thaw(_ groups: [SourceGroup]) {
        locked {
            for group in groups where !group.frozen.isEmpty {
                for block in group.frozen {
                    blockBytes -= block.memoryBytes
                    sampleCount -= block.count * block.layout.columns.count
                }
                group.frozen = []
            }
            sampleCount = max(sampleCount, 0)
        }
    }

    /// The chunks that hold the newest sample of some series; of two with one time, the one that came later.
    private static func newest(of chunks: [ChunkReference]) -> [ChunkReference] {
        let chunks = chunks.sorted { ($0.generation, $0.id) < ($1.generation, $1.id) }
        var best: [UInt32: (time: Int64, chunk: Int)] = [:]
        for (number, chunk) in chunks.enumerated() {
            for column in chunk.columns where column.lastTime >= best[column.series]?.time ?? .min {
                best[column.series] = (column.lastTime, number)
            }
        }
        return Set(best.values.map(\.chunk)).sorted().map { chunks[$0] }
    }
}
