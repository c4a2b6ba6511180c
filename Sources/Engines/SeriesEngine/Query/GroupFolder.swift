import Synchronization
import VigilModel
import VigilPorts

/// Folds the series of groups into windows, stretch by stretch: a chunk is read and its times are decoded once for all
/// series of a group, and not at all where its statistics say everything.
final class GroupFolder {
    let query: WindowQuery
    let budget: QueryBudget
    let start: Int64
    let end: Int64
    private let step: Int64
    private let needs: WindowNeeds
    private let windowsMax: Int
    /// Keeps what is read of chunks for other questions; `nil` where it is too much.
    private let kept: KeptContents?

    /// Room for more windows is made when they come.
    private static let windowsReserved: UInt64 = 64

    /// Of longer columns buckets are less work, whatever is kept.
    private static let keptSamplesMax = 1 << 13

    init(_ query: WindowQuery, _ budget: QueryBudget, keepingIn kept: KeptContents? = nil) {
        self.kept = kept
        self.query = query
        self.budget = budget
        start = query.selection.range.start.microseconds
        end = query.selection.range.end.microseconds
        step = query.step.microseconds
        needs = WindowNeeds(query.aggregates)
        let count = UInt64(bitPattern: end &- start) / UInt64(max(step, 1))
        windowsMax = Int(min(count, Self.windowsReserved - 1)) + 1
    }

    private var grid: WindowGrid { WindowGrid(start: start, end: end, step: step) }

    private func folder() -> WindowFolder {
        WindowFolder(start: start, step: step, needs: needs, quantiles: query.quantiles, windowsMax: windowsMax)
    }

    /// Adds the windows of the series of a group.
    ///
    /// - Throws: `contention` when a chunk was made anew meanwhile, with nothing added: take a new snapshot then.
    func fold(_ planned: borrowing PlannedGroup, into result: inout [SeriesWindows]) throws(StoreError) {
        if query.quantiles.isEmpty, let block = planned.snapshot.onlyBlock(from: start, to: end),
            try foldOpen(planned.entries, planned.snapshot.blocks[block], into: &result)
        {
            return
        }
        let source = ChunkSource(keepingIn: kept)
        var folders = planned.entries.map { _ in folder() }
        let kept = try planned.snapshot.rollups.isEmpty ? [] : keptBuckets(planned)
        for index in kept.indices { folders[index].expect(kept[index]) }
        for stretch in TimeStretch.all(of: planned.snapshot, from: start, to: end) {
            try budget.check()
            for index in planned.entries.indices {
                try fold(stretch, planned.entries[index], source, into: &folders[index])
            }
            source.removeAll()
        }
        for index in kept.indices where !kept[index].isEmpty {
            var folder = WindowFolder(start: start, step: step, needs: needs)
            for (time, bucket) in kept[index] { folder.add(bucket.known, at: time) }
            folders[index].join(&folder)
        }
        for index in folders.indices where folders[index].count > 0 {
            try budget.takeWindows(folders[index].count)
            result.append(folders[index].finish(planned.entries[index].identity, query.aggregates))
        }
    }

    /// The same where all that there is lies in one block.
    ///
    /// Returns false, with nothing added, where a series has several columns or holds texts.
    private func foldOpen(
        _ entries: [SeriesEntry], _ block: borrowing OpenBlock, into result: inout [SeriesWindows]
    ) throws(StoreError) -> Bool {
        try budget.check()
        let before = result.count
        for entry in entries {
            guard let column = block.layout.onlyColumn(of: entry) else {
                result.removeLast(result.count - before)
                return false
            }
            // It has none here.
            if column < 0 { continue }
            var folder = folder()
            try fold(block, column, into: &folder)
            guard folder.count > 0 else { continue }
            try budget.takeWindows(folder.count)
            result.append(folder.finish(entry.identity, query.aggregates))
        }
        return true
    }

    /// What is kept of readings that went, of each series.
    private func keptBuckets(
        _ planned: borrowing PlannedGroup
    ) throws(StoreError) -> [[(time: Int64, bucket: RollupBucket)]] {
        let kept = KeptRollups(planned.snapshot, grid: grid, needs: needs, hasSketches: !query.quantiles.isEmpty)
        var result: [[(time: Int64, bucket: RollupBucket)]] = []
        for entry in planned.entries {
            try budget.check()
            let buckets = try kept.buckets(of: entry)
            try budget.takeSamples(buckets.count)
            result.append(buckets)
        }
        return result
    }

    private func fold(
        _ stretch: TimeStretch, _ entry: SeriesEntry, _ source: ChunkSource, into folder: inout WindowFolder
    ) throws(StoreError) {
        var only: (chunk: ChunkReference, column: ChunkColumn)?
        var pieces = 0
        for chunk in stretch.chunks {
            guard let column = chunk.column(entry.number) else { continue }
            pieces += 1
            only = (chunk, column)
        }
        let rows = OpenColumn(of: entry, in: stretch.blocks)
        guard pieces == 1, rows == nil, let (chunk, column) = only else {
            guard pieces > 0 || rows != nil else { return }
            if pieces == 0, let rows, rows.isOnly, rows.isNumeric(in: stretch.blocks) {
                return try fold(stretch.blocks[rows.block], rows.column, into: &folder)
            }
            let reader = stretch.reader(entry, source)
            if let pieces = try reader.pieces(from: start, to: end) {
                return try fold(pieces, into: &folder)
            }
            let samples = try reader.samples(from: start, to: end)
            try budget.takeSamples(samples.samples.count)
            folder.add(NumberColumn(samples), from: start, to: end)
            return
        }
        guard column.statistics.count > 0, column.lastTime >= start, column.firstTime < end else { return }
        if query.quantiles.isEmpty, column.firstTime >= start, column.lastTime < end,
            folder.isInOne(column.firstTime, column.lastTime)
        {
            return folder.add(column.statistics)
        }
        if query.quantiles.isEmpty, !takesNumbers(of: chunk, column), let buckets = try buckets(chunk, column, source) {
            try budget.takeSamples(buckets.count)
            for bucket in buckets { folder.add(bucket) }
            return
        }
        try budget.takeSamples(column.count)
        do {
            guard let numbers = try source.content(chunk).numbers(entry.number) else { return }
            folder.add(numbers, from: start, to: end)
        } catch {
            throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
        }
    }

    /// Whether numbers are taken where buckets would do: those that are kept lie nearer than buckets in a file.
    private func takesNumbers(of chunk: ChunkReference, _ column: ChunkColumn) -> Bool {
        if kept != nil { return column.count <= Self.keptSamplesMax }
        return chunk.content.withLock { $0 }?.knowsNumbers(of: column.series) ?? false
    }

    /// What the buckets of a column say of each window, from the widest that say all that the question needs to know.
    private func buckets(
        _ chunk: ChunkReference, _ column: ChunkColumn, _ source: ChunkSource
    ) throws(StoreError) -> [WindowAggregate]? {
        guard let resolution = grid.widest(of: chunk.rollups, lastTime: column.lastTime) else { return nil }
        do {
            guard let buckets = try source.rollup(chunk, resolution).buckets(column.series) else { return nil }
            var parts: [WindowAggregate] = []
            parts.reserveCapacity(buckets.count)
            for bucket in buckets {
                guard let some = grid.parts(of: bucket, needs) else { return nil }
                parts += some
            }
            return parts
        } catch {
            throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
        }
    }
}
