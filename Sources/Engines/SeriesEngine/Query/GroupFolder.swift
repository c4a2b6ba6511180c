import VigilModel
import VigilPorts

/// Folds the series of a group into windows, stretch by stretch: a chunk is read and its times are decoded once for all
/// series, and not at all where its statistics say everything.
struct GroupFolder {
    let planned: PlannedGroup
    let query: WindowQuery
    let budget: QueryBudget

    private var start: Int64 { query.selection.range.start.microseconds }
    private var end: Int64 { query.selection.range.end.microseconds }

    /// - Throws: `contention` when a chunk was made anew meanwhile: take a new snapshot then.
    func windows() throws(StoreError) -> [SeriesWindows] {
        let source = ChunkSource()
        var folders = planned.entries.map { _ in
            WindowFolder(start: start, step: query.step.microseconds, aggregates: query.aggregates)
        }
        for stretch in TimeStretch.all(of: planned.snapshot, from: start, to: end) {
            try budget.check()
            for index in planned.entries.indices {
                try fold(stretch, planned.entries[index], source, into: &folders[index])
            }
            source.removeAll()
        }
        var result: [SeriesWindows] = []
        for index in folders.indices where folders[index].count > 0 {
            try budget.takeWindows(folders[index].count)
            let (starts, values) = folders[index].finish(query.aggregates)
            result.append(SeriesWindows(identity: planned.entries[index].identity, starts: starts, values: values))
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
        let hasRows = stretch.blocks.contains { block in block.layout.columns.contains { $0.series === entry } }
        guard pieces == 1, !hasRows, let (chunk, column) = only else {
            if pieces == 0, !hasRows { return }
            let samples = try stretch.reader(entry, source).samples(from: start, to: end)
            try budget.takeSamples(samples.samples.count)
            return folder.add(NumberColumn(samples), from: start, to: end)
        }
        guard column.statistics.count > 0, column.lastTime >= start, column.firstTime < end else { return }
        if column.firstTime >= start, column.lastTime < end, folder.isInOne(column.firstTime, column.lastTime) {
            return folder.add(column.statistics)
        }
        try budget.takeSamples(column.count)
        do {
            guard let numbers = try source.content(chunk).numbers(entry.number) else { return }
            folder.add(numbers, from: start, to: end)
        } catch {
            throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
        }
    }
}
