package import VigilModel
package import VigilPorts

extension SeriesEngine {
    /// How many numbers of a selection a condition holds for.
    ///
    /// What is known of a chunk answers where it says everything; otherwise its numbers are gone through eight at once.
    /// Prometheus' stale marker and NaN are never counted.
    package func count(
        _ selection: SeriesSelection, where condition: NumberCondition, in scope: AccessScope
    ) async throws(StoreError) -> Int {
        if selection.range.isEmpty { return 0 }
        try store.unreadable.check(selection.range)
        let planned = try plan(selection.matchers, devices: selection.devices, in: scope)
        let budget = QueryBudget(
            samples: selection.sampleLimit ?? configuration.samplesMax, windows: configuration.windowsMax)
        let width = planned.count < configuration.parallelGroupsMin ? 1 : configuration.questionTasksMax
        let condition = NumberCondition.OfIntegers(condition)
        let counts = try await BoundedTasks.map(planned.count, width: width, isShort: false, budget) {
            (places) throws(StoreError) in
            var count = 0
            for place in places {
                var own = planned[place]
                count += try await self.reading(&own) { (planned, _) throws(StoreError) in
                    try Self.count(planned, selection.range, condition, budget)
                }
            }
            return count
        }
        return counts.reduce(0, +)
    }

    private static func count(
        _ planned: PlannedGroup, _ range: TimeRange, _ exact: NumberCondition.OfIntegers, _ budget: QueryBudget
    ) throws(StoreError) -> Int {
        let (start, end) = (range.start.microseconds, range.end.microseconds)
        let condition = exact.condition
        let source = ChunkSource()
        var count = 0
        for stretch in TimeStretch.all(of: planned.snapshot, from: start, to: end) {
            try budget.check()
            for entry in planned.entries {
                if let whole = stretch.whole(of: entry, from: start, to: end) {
                    if let all = condition.count(in: whole.statistics) {
                        count += all
                        continue
                    }
                    if let chunk = whole.chunk, let all = try source.count(entry, in: chunk, where: exact) {
                        try budget.takeSamples(whole.count)
                        count += all
                        continue
                    }
                }
                let reader = stretch.reader(entry, source)
                if let numbers = try reader.numbers(from: start, to: end) {
                    try budget.takeSamples(numbers.values.count)
                    count += condition.count(numbers.values[...])
                    continue
                }
                let samples = try reader.samples(from: start, to: end).samples
                try budget.takeSamples(samples.count)
                count += samples.count { $0.number.map(condition.holds) ?? false }
            }
            source.removeAll()
        }
        return count
    }
}

extension TimeStretch {
    /// The chunk and the column that are all there is of a series in this stretch, where all of it lies in the range; no chunk
    /// where there is nothing.
    func whole(of entry: SeriesEntry, from start: Int64, to end: Int64) -> WholeColumn? {
        guard !blocks.contains(where: { !$0.columns(of: entry).isEmpty }) else { return nil }
        var found: WholeColumn?
        for chunk in chunks {
            guard let column = chunk.column(entry.number) else { continue }
            guard found == nil, column.firstTime >= start, column.lastTime < end else { return nil }
            found = WholeColumn(chunk: chunk, count: column.count, statistics: column.statistics)
        }
        return found ?? WholeColumn(chunk: nil, count: 0, statistics: WindowAggregate())
    }
}

/// What there is of a series in a stretch of time, when one chunk has all of it.
struct WholeColumn {
    /// `nil`: there is nothing.
    let chunk: ChunkReference?
    let count: Int
    let statistics: WindowAggregate
}

extension ChunkSource {
    /// For how many numbers of a series in a chunk a condition holds; `nil` where texts may lie among them.
    ///
    /// - Throws: `contention` when the chunk was made anew meanwhile: take a new snapshot then.
    func count(
        _ entry: SeriesEntry, in chunk: ChunkReference, where condition: NumberCondition.OfIntegers
    ) throws(StoreError) -> Int? {
        let content = try content(chunk)
        do {
            return try content.count(entry.number, where: condition)
        } catch {
            throw StoreError(error, file: chunk.file.name, chunk: chunk.id)
        }
    }
}
