package import VigilModel
package import VigilPorts

extension SeriesEngine {
    /// One series of a plan with what it needs to be read.
    struct PlannedSeries: Sendable {
        let entry: SeriesEntry
        let blocks: [OpenBlock]

        var reader: SeriesReader { SeriesReader(entry: entry, blocks: blocks) }
    }

    /// The selected series with a snapshot of one moment.
    func plan(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>? = nil, in scope: AccessScope
    ) throws(StoreError) -> [PlannedSeries] {
        try log.checkOpen()
        let tenant = try tenant(of: scope)
        let found = catalogue.find(try SeriesMatchers(matchers, devices: devices), tenant: tenant, scope: scope)
        let blocks = memory.snapshot(found.map(\.0))
        var result: [PlannedSeries] = []
        for (index, group) in found.enumerated() where !blocks[index].isEmpty {
            for entry in group.1 { result.append(PlannedSeries(entry: entry, blocks: blocks[index])) }
        }
        return result
    }

    package func samples(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> any SampleCursor {
        let planned = try plan(selection.matchers, devices: selection.devices, in: scope)
        return EngineCursor(planned, range: selection.range, limit: selection.sampleLimit ?? configuration.samplesMax)
    }

    package func windows(_ query: WindowQuery, in scope: AccessScope) async throws(StoreError) -> [SeriesWindows] {
        guard query.step > Span(microseconds: 0) else { throw StoreError(.invalid, "the step must be positive") }
        let range = query.selection.range
        var result: [SeriesWindows] = []
        var remaining = configuration.windowsMax
        var samples = query.selection.sampleLimit ?? configuration.samplesMax
        for planned in try plan(query.selection.matchers, devices: query.selection.devices, in: scope) {
            try Self.checkCancelled()
            let series = planned.reader.samples(from: range.start.microseconds, to: range.end.microseconds)
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
        return try plan(selection.matchers, devices: selection.devices, in: scope)
            .filter { $0.reader.hasSample(from: start, to: end) }
            .map(\.entry.identity)
    }

    package func delete(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Int {
        let tenant = try tenant(of: scope)
        try log.check()
        let matchers = try SeriesMatchers(selection.matchers, devices: selection.devices)
        let numbers = catalogue.find(matchers, tenant: tenant, scope: scope).flatMap { $0.1.map(\.number) }
        if numbers.isEmpty || selection.range.isEmpty { return 0 }
        return try await commit(.delete, RemovalRecord.write(series: numbers, range: selection.range)).count
    }

    package func deleteTenant(in scope: AccessScope) async throws(StoreError) {
        let tenant = try tenant(of: scope)
        guard scope.visibility == .all else {
            throw StoreError(.invalid, "a scope that does not see all of a tenant cannot remove it")
        }
        _ = try await commit(.deleteTenant, RemovalRecord.write(tenant: tenant))
    }

    static func checkCancelled() throws(StoreError) {
        if Task.isCancelled { throw StoreError(.timeout, "the question was cancelled") }
    }
}
