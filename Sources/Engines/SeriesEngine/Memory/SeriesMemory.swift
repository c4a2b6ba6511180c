import Synchronization
import VigilModel

/// The rows that are not in chunks, group by group.
///
/// Only the log's thread adds; readers copy the blocks they need under the lock and read them without it.
final class SeriesMemory: @unchecked Sendable {
    // Unchecked: guarded by `lock`, like the blocks of every group.
    private let lock = Mutex(())
    /// Values in open rows, absent ones included.
    var sampleCount = 0
    /// Samples in chunks.
    var chunkSamples = 0
    var emptySeriesCount = 0
    var blockBytes = 0

    func locked<Result: Sendable>(_ body: () -> Result) -> Result { lock.withLock { _ in body() } }

    struct Totals {
        var samples: Int
        var emptySeries: Int
        var bytes: Int
    }

    var totals: Totals {
        return lock.withLock { _ in
            return Totals(samples: sampleCount + chunkSamples, emptySeries: emptySeriesCount, bytes: blockBytes)
        }
    }

    /// Whether there are rows that are in no file yet.
    var hasOpenRows: Bool { lock.withLock { _ in sampleCount > 0 } }

    /// What a group holds at one moment.
    struct Snapshot: Sendable {
        let chunks: [ChunkReference]
        let blocks: [OpenBlock]
        /// Of the chunks those that hold the newest sample of some series.
        let newest: [ChunkReference]
        /// What is kept of readings that went.
        let rollups: [RollupReference]

        init(
            chunks: [ChunkReference], blocks: [OpenBlock], newest: [ChunkReference], rollups: [RollupReference] = []
        ) {
            self.chunks = chunks
            self.blocks = blocks
            self.newest = newest
            self.rollups = rollups
        }

        var isEmpty: Bool { blocks.isEmpty && chunks.isEmpty && rollups.isEmpty }

        init(_ group: SourceGroup) {
            self.init(
                chunks: group.chunks, blocks: group.frozen.isEmpty ? group.blocks : group.frozen + group.blocks,
                newest: group.newest, rollups: group.rollups)
        }
    }

    func snapshot(_ group: SourceGroup) -> Snapshot { lock.withLock { _ in Snapshot(group) } }

    /// What each group holds, all of one moment.
    func snapshot(_ groups: [SourceGroup]) -> [Snapshot] {
        lock.withLock { _ in groups.map { Snapshot($0) } }
    }

    // MARK: - The log's thread

    /// Adds the readings of a record.
    ///
    /// Returns whether the payload was whole.
    func append(
        _ payload: UnsafeRawBufferPointer, keeps: ((Int64) -> Bool)? = nil, _ layout: (Int, UInt32) -> RowLayout?
    ) -> Bool {
        guard var reader = BatchRecord.Reader(payload) else { return false }
        let arrival = reader.arrival
        return lock.withLock { _ in
            var index = 0
            var grown = Growth()
            while let (table, layout) = reader.next({ layout(index, $0) }) {
                index += 1
                append(table, layout, arrival, &grown)
            }
            sampleCount += grown.samples
            blockBytes += grown.bytes
            return reader.remaining == 0
        }
    }

    /// What a record adds; counted apart, because a record has many tables.
    private struct Growth {
        var samples = 0
        var bytes = 0
    }

    private func append(
        _ table: BatchRecord.Table, _ layout: RowLayout, _ arrival: Int64, _ grown: inout Growth
    ) {
        guard table.rows > 0 else { return }
        let group = layout.group
        grown.bytes += Self.append(table, layout, arrival, to: &group.blocks)
        grown.samples += table.rows * layout.columns.count
        if group.hasEmptySeries { revive(layout) }
    }

    /// Adds rows to the last block, or to a new one, and returns by how many bytes memory grew.
    private static func append(
        _ table: BatchRecord.Table, _ layout: RowLayout, _ arrival: Int64, to blocks: inout [OpenBlock]
    ) -> Int {
        var position = blocks.count - 1
        var grown = 0
        if position < 0 || blocks[position].layout !== layout || blocks[position].isFull {
            blocks.append(OpenBlock(layout: layout, capacity: table.rows))
            position += 1
            grown = blocks[position].memoryBytes
        }
        return grown
            + blocks[position].append(table.words, rows: table.rows, arrival: arrival, texts: table.texts)
    }

    private func revive(_ layout: RowLayout) {
        for column in layout.columns where column.series.isEmpty {
            column.series.isEmpty = false
            emptySeriesCount -= 1
        }
    }

    /// Removes the samples of `series` in a range from the open rows.
    func delete(_ series: [SeriesEntry], from start: Int64, to end: Int64) {
        lock.withLock { _ in
            for (_, entries) in Dictionary(grouping: series, by: { $0.group.number }) {
                guard let group = entries.first?.group else { continue }
                let numbers = Set(entries.map(\.number))
                group.blocks = remaining(group.blocks, without: numbers, from: start, to: end)
                group.frozen = remaining(group.frozen, without: numbers, from: start, to: end)
            }
        }
    }

    private func remaining(
        _ blocks: [OpenBlock], without numbers: Set<UInt32>, from start: Int64, to end: Int64
    ) -> [OpenBlock] {
        var kept: [OpenBlock] = []
        for block in blocks {
            let touched = block.layout.columns.indices.filter {
                numbers.contains(block.layout.columns[$0].series.number)
            }
            guard !touched.isEmpty, block.count > 0, block.firstTime < end, block.lastTime >= start else {
                kept.append(block)
                continue
            }
            let (rest, count) = block.removing(Set(touched), from: start, to: end)
            sampleCount -= count
            blockBytes -= block.memoryBytes
            guard rest.count > 0 else { continue }
            blockBytes += rest.memoryBytes
            kept.append(rest)
        }
        return kept
    }

    /// Notes which of the series have nothing left.
    func markEmpty(_ series: [SeriesEntry]) {
        lock.withLock { _ in
            for entry in series where !entry.isEmpty {
                let group = entry.group
                if group.chunks.contains(where: { $0.column(entry.number) != nil }) { continue }
                if (group.frozen + group.blocks).contains(where: { $0.hasSample(of: entry) }) { continue }
                entry.isEmpty = true
                group.hasEmptySeries = true
                emptySeriesCount += 1
            }
        }
    }
}
