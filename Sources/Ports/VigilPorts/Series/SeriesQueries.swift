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
package struct SeriesWindows: Sendable, Hashable {
    package let identity: SeriesIdentity
    package let starts: [Timestamp]
    /// For each aggregate of the query, in its order, one value per window.
    package let values: [[Double]]
    /// For each quantile of the query, in its order, one value per window.
    package let quantiles: [[Double]]

    package init(
        identity: SeriesIdentity, starts: [Timestamp], values: [[Double]], quantiles: [[Double]] = []
    ) {
        self.identity = identity
        self.starts = starts
        self.values = values
        self.quantiles = quantiles
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
