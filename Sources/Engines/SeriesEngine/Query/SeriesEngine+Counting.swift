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
        let counts = try await BoundedTasks.map(planned.count, width: width, isShort: false, budget) {
            (index) throws(StoreError) in
            var own = planned[index]
            return try await self.reading(&own) { (planned, _) throws(StoreError) in
                try Self.count(planned, selection.range, condition, budget)
            }
        }
        return counts.reduce(0, +)
    }

    private static func count(
        _ planned: PlannedGroup, _ range: TimeRange, _ condition: NumberCondition, _ budget: QueryBudget
    ) throws(StoreError) -> Int {
        let (start, end) = (range.start.microseconds, range.end.microseconds)
        let source = ChunkSource()
        var count = 0
        for stretch in TimeStretch.all(of: planned.snapshot, from: start, to: end) {
            try budget.check()
            for entry in planned.entries {
                if let known = stretch.known(of: entry, from: start, to: end), let all = condition.count(in: known) {
                    count += all
                    continue
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
    /// What is known of the numbers of a series in this stretch, when all of it lies in one chunk and in the range.
    func known(of entry: SeriesEntry, from start: Int64, to end: Int64) -> WindowAggregate? {
        guard !blocks.contains(where: { !$0.columns(of: entry).isEmpty }) else { return nil }
        let columns = chunks.compactMap { $0.column(entry.number) }
        if columns.isEmpty { return WindowAggregate() }
        guard columns.count == 1, let column = columns.first, column.firstTime >= start, column.lastTime < end else {
            return nil
        }
        return column.statistics
    }
}
