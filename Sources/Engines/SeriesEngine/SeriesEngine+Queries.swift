import Synchronization
package import VigilModel
package import VigilPorts

extension SeriesEngine {
    /// Reads a group; when one of its chunks was made anew meanwhile, what took its place is read.
    ///
    /// The second argument of `body` says whether the snapshot is another than before.
    func reading<Result>(
        _ planned: inout PlannedGroup, _ body: (PlannedGroup, Bool) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        for attempt in 0..<4 {
            do throws(StoreError) {
                return try body(planned, attempt > 0)
            } catch  where error.code == .contention {
                await Task.yield()
                planned.snapshot = memory.snapshot(planned.group)
            }
        }
        // Whoever changes chunks holds the turnstile, so behind it they stand still.
        await maintenance.enter()
        defer { maintenance.leave() }
        planned.snapshot = memory.snapshot(planned.group)
        return try body(planned, true)
    }

    /// The selected series, group by group, with a snapshot of one moment.
    func plan(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>? = nil, in scope: AccessScope
    ) throws(StoreError) -> [PlannedGroup] {
        try log.checkOpen()
        let tenant = try tenant(of: scope)
        let found = catalogue.find(try SeriesMatchers(matchers, devices: devices), tenant: tenant, scope: scope)
        let snapshots = memory.snapshot(found.map(\.0))
        var result: [PlannedGroup] = []
        for (index, group) in found.enumerated()
        where !snapshots[index].isEmpty {
            result.append(PlannedGroup(group: group.0, entries: group.1, snapshot: snapshots[index]))
        }
        return result
    }

    private func budget(_ selection: SeriesSelection) -> QueryBudget {
        QueryBudget(
            samples: selection.sampleLimit ?? configuration.samplesMax, windows: configuration.windowsMax)
    }

    package func samples(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> any SampleCursor {
        try store.unreadable.check(selection.range)
        let planned = try plan(selection.matchers, devices: selection.devices, in: scope)
        return EngineCursor(planned, engine: self, range: selection.range, budget: budget(selection))
    }

    package func windows(_ query: WindowQuery, in scope: AccessScope) async throws(StoreError) -> [SeriesWindows] {
        guard query.step > Span(microseconds: 0) else { throw StoreError(.invalid, "the step must be positive") }
        guard query.quantiles.allSatisfy({ (0...1).contains($0) }) else {
            throw StoreError(.invalid, "a quantile must be a share from 0 to 1")
        }
        if query.selection.range.isEmpty { return [] }
        try store.unreadable.check(query.selection.range)
        try rollups.unreadable.check(query.selection.range)
        let planned = try plan(query.selection.matchers, devices: query.selection.devices, in: scope)
        let budget = budget(query.selection)
        // A question about little is answered before a second task has begun.
        let isShort = Self.isShort(planned, query.selection.range)
        let width = planned.count < configuration.parallelGroupsMin ? 1 : configuration.questionTasksMax
        // What would push most of the others out is not kept.
        let keeps = !isShort && Self.decodedBytes(planned, query.selection.range) <= contents.bytesMax / 2
        let parts = try await BoundedTasks.map(planned.count, width: width, isShort: isShort, budget) {
            (places) throws(StoreError) in
            let folder = GroupFolder(query, budget, keepingIn: keeps ? self.contents : nil)
            var found: [SeriesWindows] = []
            found.reserveCapacity(places.count)
            for place in places {
                do throws(StoreError) {
                    try folder.fold(planned[place], into: &found)
                } catch {
                    guard error.code == .contention else { throw error }
                    var own = planned[place]
                    found += try await self.reading(&own) { (planned, _) throws(StoreError) in
                        var some: [SeriesWindows] = []
                        try folder.fold(planned, into: &some)
                        return some
                    }
                }
            }
            return found
        }
        return parts.count == 1 ? parts[0] : parts.flatMap { $0 }
    }

    /// So many rows are read while a task for them would only begin.
    private static let shortRowsMax = 1 << 14

    /// Whether a question needs no disk and reads few rows.
    private static func isShort(_ planned: [PlannedGroup], _ range: TimeRange) -> Bool {
        let (start, end) = (range.start.microseconds, range.end.microseconds)
        var rows = 0
        for group in planned {
            if !group.snapshot.rollups.isEmpty { return false }
            for chunk in group.snapshot.chunks where chunk.lastTime >= start && chunk.firstTime < end {
                guard let content = chunk.content.withLock({ $0 }) else { return false }
                for entry in group.entries {
                    guard let column = chunk.column(entry.number) else { continue }
                    if !content.knowsNumbers(of: entry.number) { return false }
                    rows += column.count
                }
            }
            for block in group.snapshot.blocks where block.lastTime >= start && block.firstTime < end {
                let share = Double(min(end, block.lastTime) - max(start, block.firstTime))
                let whole = Double(max(1, block.lastTime - block.firstTime))
                rows += (Int(Double(block.count) * share / whole) + 1) * group.entries.count
            }
            if rows > shortRowsMax { return false }
        }
        return true
    }

    /// What the columns of chunks take in memory that a question would have to decode, with their times.
    private static func decodedBytes(_ planned: [PlannedGroup], _ range: TimeRange) -> Int {
        let (start, end) = (range.start.microseconds, range.end.microseconds)
        var samples = 0
        for group in planned {
            for chunk in group.snapshot.chunks where chunk.lastTime >= start && chunk.firstTime < end {
                let most = chunk.columns.first?.count ?? 0
                samples += most * (group.entries.count + 1)
            }
        }
        return samples * 8
    }

    package func latest(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>?, in scope: AccessScope
    ) async throws(StoreError) -> [LatestSample] {
        var result: [LatestSample] = []
        // A file that was left out may hold a newer sample than those that are found.
        let unreadable = store.unreadable
        let doubtfulBefore = unreadable.map(\.stretch.end).max() ?? .min
        let planned = try plan(matchers, devices: devices, in: scope)
        result.reserveCapacity(planned.reduce(0) { $0 + $1.entries.count })
        for group in planned {
            let newest = NewestSamples(
                of: group.entries, blocks: group.snapshot.blocks, chunks: group.snapshot.newest)
            newest.forEach { result.append($0) }
        }
        for index in result.indices where result[index].sample.time.microseconds < doubtfulBefore {
            result[index].isCertain = false
        }
        // Nothing at all may be all that the file held.
        if result.isEmpty, let first = unreadable.first {
            let tenant = try tenant(of: scope)
            let found = catalogue.find(
                try SeriesMatchers(matchers, devices: devices), tenant: tenant, scope: scope)
            if !found.isEmpty { throw first.error }
        }
        return result
    }

    package func series(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> [SeriesIdentity] {
        let (start, end) = (selection.range.start.microseconds, selection.range.end.microseconds)
        try store.unreadable.check(selection.range)
        let planned = try plan(selection.matchers, devices: selection.devices, in: scope)
        let budget = budget(selection)
        var result: [SeriesIdentity] = []
        for var planned in planned {
            try budget.check()
            result += try await reading(&planned) { (planned, _) throws(StoreError) in
                let source = ChunkSource()
                var found: [SeriesIdentity] = []
                for entry in planned.entries {
                    let reader = SeriesReader(
                        entry: entry, chunks: planned.snapshot.chunks, blocks: planned.snapshot.blocks,
                        source: source)
                    if try reader.hasSample(from: start, to: end) { found.append(entry.identity) }
                }
                return found
            }
        }
        return result
    }
}
