package import VigilModel

/// Which samples of which series.
package struct SeriesSelection: Sendable, Hashable {
    /// All must hold.
    ///
    /// None means every series of the scope.
    package var matchers: [LabelMatcher]
    /// Only series of these devices, when given.
    package var devices: Set<DeviceID>?
    package var range: TimeRange
    /// At most this many samples in all; one more throws `limit`.
    ///
    /// `nil` means the store's own limit.
    package var sampleLimit: Int?

    package init(
        _ matchers: [LabelMatcher], devices: Set<DeviceID>? = nil, range: TimeRange = .always, sampleLimit: Int? = nil
    ) {
        self.matchers = matchers
        self.devices = devices
        self.range = range
        self.sampleLimit = sampleLimit
    }
}

/// Aggregates over windows.
package struct WindowQuery: Sendable, Hashable {
    package enum Aggregate: String, Sendable, Hashable, CaseIterable {
        case count
        case sum
        case minimum
        case maximum
        case average
        /// The value of the earliest sample of the window.
        case first
        /// The value of the latest sample of the window.
        case last
        /// When the earliest sample of the window was read, in microseconds since 1970.
        case firstTime
        /// When the latest sample of the window was read, in microseconds since 1970.
        case lastTime
        /// Population standard deviation.
        case deviation
        /// The sum of increases between neighbouring samples in the window; a fall counts as a reset to zero.
        case increase
        /// The increase by second between the earliest and the latest sample of the window; NaN when they are one.
        case rate
    }

    package var selection: SeriesSelection
    /// The width of a window; must be positive.
    package var step: Span
    package var aggregates: [Aggregate]
    /// Shares from 0 to 1 of which the value is wanted that so many of a window's numbers do not exceed.
    package var quantiles: [Double]

    package init(
        _ selection: SeriesSelection, step: Span, aggregates: [Aggregate] = [], quantiles: [Double] = []
    ) {
        self.selection = selection
        self.step = step
        self.aggregates = aggregates
        self.quantiles = quantiles
    }
}

/// The windows of one series that hold samples, by time.
package struct SeriesWindows: Sendable {
    /// One window, and what is known of the numbers in it.
    package struct Window: Sendable {
        package let start: Timestamp
        /// Only what the aggregates of the query need.
        package let known: WindowAggregate

        package init(start: Timestamp, known: WindowAggregate) {
            self.start = start
            self.known = known
        }
    }

    package let identity: SeriesIdentity
    package let windows: [Window]
    /// Those of the query.
    package let aggregates: [WindowQuery.Aggregate]
    /// For each quantile of the query, in its order, one value per window.
    package let quantiles: [[Double]]

    package init(
        identity: SeriesIdentity, windows: [Window], aggregates: [WindowQuery.Aggregate], quantiles: [[Double]] = []
    ) {
        self.identity = identity
        self.windows = windows
        self.aggregates = aggregates
        self.quantiles = quantiles
    }

    package var starts: [Timestamp] { windows.map(\.start) }

    /// For each aggregate of the query, in its order, one value per window.
    package var values: [[Double]] {
        aggregates.map { aggregate in windows.map { $0.known[aggregate] } }
    }
}

extension SeriesWindows: Equatable {
    /// Whether both answer the same: what a store knows besides what was asked for may differ.
    package static func == (left: SeriesWindows, right: SeriesWindows) -> Bool {
        left.identity == right.identity && left.starts == right.starts && left.values == right.values
            && left.quantiles == right.quantiles
    }
}

/// The newest sample of a series.
package struct LatestSample: Sendable, Hashable {
    package let identity: SeriesIdentity
    package let sample: Sample
    /// When the reading reached us.
    package let arrival: Timestamp
    /// False where a newer one may lie in a file that is damaged.
    package var isCertain: Bool

    package init(identity: SeriesIdentity, sample: Sample, arrival: Timestamp, isCertain: Bool = true) {
        self.identity = identity
        self.sample = sample
        self.arrival = arrival
        self.isCertain = isCertain
    }
}

/// What a series store holds, over all tenants.
package struct SeriesStatistics: Sendable, Hashable {
    package var seriesCount: Int
    /// Samples stored, overwritten ones that still take space included.
    package var sampleCount: Int
    package var diskBytes: Int
    package var memoryBytes: Int

    package init(seriesCount: Int, sampleCount: Int, diskBytes: Int, memoryBytes: Int) {
        self.seriesCount = seriesCount
        self.sampleCount = sampleCount
        self.diskBytes = diskBytes
        self.memoryBytes = memoryBytes
    }
}
