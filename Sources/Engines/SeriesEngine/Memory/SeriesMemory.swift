import Synchronization
import VigilModel

/// The rows that are not in chunks, group by group.
///
/// Only the log's thread adds; readers copy the blocks they need under the lock and read them without it.
final class SeriesMemory: @unchecked Sendable {
    // Unchecked: guarded by `lock`, like the blocks of every group.
    private let lock = Mutex(())
    private var sampleCount = 0
    private var emptySeriesCount = 0
    private var blockBytes = 0

    struct Totals {
        var samples: Int
        var emptySeries: Int
        var bytes: Int
    }

    var totals: Totals {
        return lock.withLock { _ in
            return Totals(samples: sampleCount, emptySeries: emptySeriesCount, bytes: blockBytes)
        }
    }

    /// A copy of the blocks of each group, all of one moment.
    func snapshot(_ groups: [SourceGroup]) -> [[OpenBlock]] {
        return lock.withLock { _ in
            return groups.map(\.blocks)
        }
    }

    // MARK: - The log's thread

    /// Adds the readings of a record.
    ///
    /// Returns whether the payload was whole.
    func append(_ payload: UnsafeRawBufferPointer, _ layout: (Int, UInt32) -> RowLayout?) -> Bool {
        guard var reader = BatchRecord.Reader(payload) else { return false }
        let arrival = reader.arrival
        return lock.withLock { _ in
            var index = 0
            while let (table, layout) = reader.next({ layout(index, $0) }) {
                index += 1
                append(table, layout, arrival)
            }
            return reader.remaining == 0
        }
    }

    private func append(_ table: BatchRecord.Table, _ layout: RowLayout, _ arrival: Int64) {
        guard table.rows > 0 else { return }
        let group = layout.group
        var position = group.blocks.count - 1
        if position < 0 || group.blocks[position].layout !== layout || group.blocks[position].isFull {
            group.blocks.append(OpenBlock(layout: layout, capacity: table.rows))
            position += 1
        }
        let bytes = group.blocks[position].memoryBytes
        group.blocks[position].append(table.words, rows: table.rows, arrival: arrival, texts: table.texts)
        blockBytes += group.blocks[position].memoryBytes - bytes
        sampleCount += table.rows * layout.columns.count
        if group.hasEmptySeries { revive(layout) }
    }

    private func revive(_ layout: RowLayout) {
        for column in layout.columns where column.series.isEmpty {
            column.series.isEmpty = false
            emptySeriesCount -= 1
        }
    }

    /// Removes the samples of `series` in a range and returns how many there were.
    func delete(_ series: [SeriesEntry], from start: Int64, to end: Int64) -> Int {
        return lock.withLock { _ in
            var removed = 0
            // Counted as a query counts: a value that was overwritten is not a sample any more.
            for (_, entries) in Dictionary(grouping: series, by: { $0.group.number }) {
                guard let group = entries.first?.group else { continue }
                for entry in entries {
                    removed +=
                        SeriesReader(entry: entry, blocks: group.blocks).samples(from: start, to: end).samples.count
                }
                delete(Set(entries.map(\.number)), of: group, from: start, to: end)
                markEmpty(entries, of: group)
            }
            return removed
        }
    }

    private func delete(_ numbers: Set<UInt32>, of group: SourceGroup, from start: Int64, to end: Int64) {
        var kept: [OpenBlock] = []
        for block in group.blocks {
            let touched = block.layout.columns.indices.filter {
                numbers.contains(block.layout.columns[$0].series.number)
            }
            guard !touched.isEmpty, block.count > 0, block.firstTime < end, block.lastTime >= start else {
                kept.append(block)
                continue
            }
            let (rest, count) = block.removing(Set(touched), from: start, to: end)
            blockBytes += rest.memoryBytes - block.memoryBytes
            sampleCount -= count
            if rest.count > 0 { kept.append(rest) }
        }
        group.blocks = kept
    }

    private func markEmpty(_ entries: [SeriesEntry], of group: SourceGroup) {
        for entry in entries where !entry.isEmpty && !group.blocks.contains(where: { $0.hasSample(of: entry) }) {
            entry.isEmpty = true
            group.hasEmptySeries = true
            emptySeriesCount += 1
        }
    }
}
