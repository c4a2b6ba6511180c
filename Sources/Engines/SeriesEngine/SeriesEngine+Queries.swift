package import VigilModel
package import VigilPorts

extension SeriesEngine {
    /// One series of a plan with what it needs to be read.
    struct PlannedSeries: Sendable {
        let entry: SeriesEntry
        let snapshot: SeriesMemory.Snapshot

        var reader: SeriesReader {
            SeriesReader(entry: entry, chunks: snapshot.chunks, blocks: snapshot.blocks)
        }
    }

    /// Reads a series; when one of its chunks was made anew meanwhile, what took its place is read.
    static func read<Result>(
        _ planned: PlannedSeries, _ memory: SeriesMemory, _ maintenance: Turnstile,
        _ body: (SeriesReader) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        var planned = planned
        for _ in 0..<4 {
            do throws(StoreError) {
                return try body(planned.reader)
            } catch  where error.code == .contention {
                await Task.yield()
                guard let now = memory.snapshot([planned.entry.group]).first else { throw error }
                planned = PlannedSeries(entry: planned.entry, snapshot: now)
            }
        }
        // Whoever changes chunks holds the turnstile, so behind it they stand still.
        await maintenance.enter()
        defer { maintenance.leave() }
        if let now = memory.snapshot([planned.entry.group]).first {
            planned = PlannedSeries(entry: planned.entry, snapshot: now)
        }
        return try body(planned.reader)
    }

    /// The selected series with a snapshot of one moment.
    func plan(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>? = nil, in scope: AccessScope
    ) throws(StoreError) -> [PlannedSeries] {
        try log.checkOpen()
        let tenant = try tenant(of: scope)
        let found = catalogue.find(try SeriesMatchers(matchers, devices: devices), tenant: tenant, scope: scope)
        let snapshots = memory.snapshot(found.map(\.0))
        var result: [PlannedSeries] = []
        for (index, group) in found.enumerated()
        where !snapshots[index].blocks.isEmpty || !snapshots[index].chunks.isEmpty {
            for entry in group.1 { result.append(PlannedSeries(entry: entry, snapshot: snapshots[index])) }
        }
        return result
    }

    package func samples(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> any SampleCursor {
        let planned = try plan(selection.matchers, devices: selection.devices, in: scope)
        return EngineCursor(
            planned, memory: memory, maintenance: maintenance, range: selection.range,
            limit: selection.sampleLimit ?? configuration.samplesMax)
    }

    package func windows(_ query: WindowQuery, in scope: AccessScope) async throws(StoreError) -> [SeriesWindows] {
        guard query.step > Span(microseconds: 0) else { throw StoreError(.invalid, "the step must be positive") }
        let range = query.selection.range
        var result: [SeriesWindows] = []
        var remaining = configuration.windowsMax
        var samples = query.selection.sampleLimit ?? configuration.samplesMax
        for planned in try plan(query.selection.matchers, devices: query.selection.devices, in: scope) {
            try Self.checkCancelled()
            let series = try await Self.read(planned, memory, maintenance) { (reader) throws(StoreError) in
                try reader.samples(from: range.start.microseconds, to: range.end.microseconds)
            }
            samples -= series.samples.count
            guard samples >= 0 else { throw StoreError(.limit, "the question reads too many samples") }
            var folder = WindowFolder(start: range.start.microseconds, step: query.step.microseconds)
            for sample in series.samples {
                if let number = sample.number { folder.add(sample.time, number) }
            }
            let (starts, values) = folder.finish(query.aggregates)
            if starts.isEmpty { continue }
            remaining -= starts.count
            guard remaining >= 0 else { throw StoreError(.limit, "the question makes too many windows") }
            result.append(SeriesWindows(identity: planned.entry.identity, starts: starts, values: values))
        }
        return result
    }

    package func latest(
        _ matchers: [LabelMatcher], in scope: AccessScope
    ) async throws(StoreError) -> [LatestSample] {
        try plan(matchers, in: scope).compactMap { $0.reader.latest() }
    }

    package func series(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> [SeriesIdentity] {
        let (start, end) = (selection.range.start.microseconds, selection.range.end.microseconds)
        var result: [SeriesIdentity] = []
        for planned in try plan(selection.matchers, devices: selection.devices, in: scope) {
            try Self.checkCancelled()
            let isThere = try await Self.read(planned, memory, maintenance) { (reader) throws(StoreError) in
                try reader.hasSample(from: start, to: end)
            }
            if isThere { result.append(planned.entry.identity) }
        }
        return result
    }

    static func checkCancelled() throws(StoreError) {
        if Task.isCancelled { throw StoreError(.timeout, "the question was cancelled") }
    }
}
