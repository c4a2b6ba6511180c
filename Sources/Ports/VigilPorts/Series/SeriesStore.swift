package import VigilModel

/// Stores readings by series and time.
///
/// The tenant of every call is the scope's; a scope without a tenant is refused with `invalid`, except where stated.
package protocol SeriesStore: Sendable {
    /// Makes `batch` durable, then returns.
    ///
    /// A reading whose series and time are already stored replaces the earlier one, whatever the kinds of the two values.
    /// Order does not matter: late readings land where they belong. All readings of the batch are stored, or none. A field
    /// that changes its kind keeps both: kinds never conflict. An empty batch is durable at once.
    /// - Throws: ``StoreError/Code/unavailable``, `full` or `readOnly` when nothing was stored: the caller may send the
    ///   same batch again.
    func append(_ batch: ReadingBatch, in scope: AccessScope) async throws(StoreError) -> LogPosition

    /// The samples of each series that `selection` names, series by series, in order of time within a series.
    ///
    /// The cursor sees everything that was appended before the call, and nothing that a scope hides. Series come in no
    /// stated order; a long series may come in several pieces, one after the other.
    func samples(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> any SampleCursor

    /// Aggregates of each selected series over windows of `selection.range`, computed where the data lies.
    ///
    /// Windows start at `range.start` and are `step` wide; a window without samples is left out. Only numbers count: text,
    /// objects and Prometheus' stale marker are passed over. The last window ends at `range.end` at the latest.
    ///
    /// Quantiles are exact, from all numbers of their window but NaN; where readings of a window went, they are within a
    /// hundredth of the numbers that they lie between, or NaN where nothing is known of how these were spread. A share that
    /// is not from 0 to 1 throws `invalid`.
    func windows(_ query: WindowQuery, in scope: AccessScope) async throws(StoreError) -> [SeriesWindows]

    /// The newest sample by reading time of each series that the matchers name, of `devices` only when they are given.
    ///
    /// A late reading never becomes latest.
    func latest(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>?, in scope: AccessScope
    ) async throws(StoreError) -> [LatestSample]

    /// The series that have a sample in the selection's range.
    func series(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> [SeriesIdentity]

    /// The names of the labels of the selected series, without reading samples.
    ///
    /// All that ``series(_:in:)`` would tell are among them; a series with samples before and behind the range only may add
    /// to them.
    func labelNames(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Set<String>

    /// The values of a label among the selected series, found as ``labelNames(_:in:)``; of `__name__` the metrics.
    func labelValues(
        of name: String, _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<String>

    /// The devices of the selected series, found as ``labelNames(_:in:)``.
    func devices(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Set<DeviceID>

    /// What ``delete(_:in:)`` would remove now, wherever it lies: also where questions do not see it.
    ///
    /// Each sample counts once. Nothing changes.
    func removal(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> SeriesRemoval

    /// Removes the samples of the selected series in the selection's range, and the series when nothing is left of it.
    ///
    /// - Returns: How many samples were removed, each counted once.
    func delete(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Int

    /// Removes everything of the scope's tenant and gives the space back.
    func deleteTenant(in scope: AccessScope) async throws(StoreError)

    /// Sizes and counts, for `/metrics` and `vigil doctor`. Takes a scope without a tenant.
    func statistics() async throws(StoreError) -> SeriesStatistics

    /// Makes what is held in memory part of the files, and ends. Later calls throw `unavailable`.
    func close() async
}

extension SeriesStore {
    package func removal(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> SeriesRemoval {
        var removal = SeriesRemoval(series: try await series(selection, in: scope))
        let cursor = try await samples(selection, in: scope)
        while let piece = try await cursor.next() { removal.samples += piece.samples.count }
        return removal
    }

    package func latest(_ matchers: [LabelMatcher], in scope: AccessScope) async throws(StoreError) -> [LatestSample] {
        try await latest(matchers, devices: nil, in: scope)
    }

    package func labelNames(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<String> {
        Set(try await series(selection, in: scope).flatMap { $0.labels.all.map(\.name) })
    }

    package func labelValues(
        of name: String, _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<String> {
        let found = try await series(selection, in: scope)
        return Set(found.compactMap { name == LabelMatcher.metricName ? $0.metric : $0.labels[name] })
    }

    package func devices(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> Set<DeviceID> {
        Set(try await series(selection, in: scope).compactMap(\.device))
    }
}

/// How far the store's log reached when an append returned.
///
/// Grows with every append of one store.
package struct LogPosition: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static let start = LogPosition(rawValue: 0)
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Hands out the samples of a selection piece by piece, so that no result has to fit in memory.
package protocol SampleCursor: AnyObject {
    /// The next piece: samples of one series in order of time, or `nil` at the end.
    func next() async throws(StoreError) -> SeriesSamples?
}

/// Some samples of one series, by time.
package struct SeriesSamples: Sendable {
    package let identity: SeriesIdentity
    package let samples: [Sample]

    package init(identity: SeriesIdentity, samples: [Sample]) {
        self.identity = identity
        self.samples = samples
    }
}

/// What a removal takes away.
package struct SeriesRemoval: Sendable, Hashable {
    /// Those of which something goes, if only what is kept of readings that went.
    package var series: [SeriesIdentity]
    /// Also readings of which only aggregates are left.
    package var samples: Int

    package init(series: [SeriesIdentity] = [], samples: Int = 0) {
        self.series = series
        self.samples = samples
    }
}
