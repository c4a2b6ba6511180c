/// What is known of the numbers of one series in a stretch of time.
///
/// Every store folds its samples with this, so that all mean the same by an average or an increase. Two that lie one
/// after the other join into one, which is how statistics kept beside the data answer without reading it.
package struct WindowAggregate: Sendable, Hashable {
    package private(set) var count = 0
    package private(set) var minimum = Double.nan
    package private(set) var maximum = Double.nan
    package private(set) var first = Double.nan
    package private(set) var last = Double.nan
    /// When `first` was read, in microseconds; of no meaning while `count` is 0.
    package private(set) var firstTime: Int64 = 0
    package private(set) var lastTime: Int64 = 0
    /// The sum of the values before each fall: what a counter had counted when it began again at zero.
    package private(set) var resets = 0.0
    package private(set) var mean = 0.0
    /// The sum of the squared distances from `mean`.
    package private(set) var squares = 0.0
    private var total = 0.0
    /// What rounding took from `total` (Neumaier).
    private var compensation = 0.0

    package init() {}

    /// Takes what was kept of an aggregate; what is left out must not be asked for.
    package init(
        count: Int, sum: Double, average: Double? = nil, minimum: Double = .nan, maximum: Double = .nan,
        first: Double = .nan, last: Double = .nan, firstTime: Int64 = 0, lastTime: Int64 = 0, resets: Double = 0,
        squares: Double = 0
    ) {
        self.count = count
        self.minimum = minimum
        self.maximum = maximum
        self.first = first
        self.last = last
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.resets = resets
        self.squares = squares
        total = sum
        mean = average ?? (count == 0 ? 0 : sum / Double(count))
    }

    /// The bits of Prometheus' stale marker: a series ended here.
    ///
    /// It is no value.
    package static let staleBits: UInt64 = 0x7FF0_0000_0000_0002

    /// Adds the sample that comes next in time; Prometheus' stale marker is passed over.
    ///
    /// A NaN counts, and makes sums NaN; least and greatest pass over it unless there is nothing else.
    @inline(__always)
    package mutating func add(_ time: Int64, _ value: Double) {
        if value.isNaN, value.bitPattern == Self.staleBits { return }
        if count == 0 {
            first = value
            firstTime = time
        } else if value < last {
            resets += last
        }
        count += 1
        accumulate(value)
        if !(minimum <= value) { minimum = value.isNaN ? minimum : value }
        if !(maximum >= value) { maximum = value.isNaN ? maximum : value }
        last = value
        lastTime = time
        // Welford's running mean and sum of squared distances: no cancellation where values are large and close.
        let distance = value - mean
        mean += distance / Double(count)
        squares += distance * (value - mean)
    }

    /// Joins what comes later in time.
    package mutating func append(_ later: WindowAggregate) {
        guard later.count > 0 else { return }
        guard count > 0 else {
            self = later
            return
        }
        resets += (later.first < last ? last : 0) + later.resets
        let (here, there) = (Double(count), Double(later.count))
        let distance = later.mean - mean
        mean += distance * (there / (here + there))
        squares += later.squares + distance * distance * (here * there / (here + there))
        count += later.count
        accumulate(later.total)
        compensation += later.compensation
        if !(minimum <= later.minimum) { minimum = later.minimum.isNaN ? minimum : later.minimum }
        if !(maximum >= later.maximum) { maximum = later.maximum.isNaN ? maximum : later.maximum }
        last = later.last
        lastTime = later.lastTime
    }

    @inline(__always)
    private mutating func accumulate(_ value: Double) {
        let sum = total + value
        if sum.isInfinite || sum.isNaN {
            compensation = 0
        } else if abs(total) >= abs(value) {
            compensation += (total - sum) + value
        } else {
            compensation += (value - sum) + total
        }
        total = sum
    }

    package var sum: Double { total + compensation }

    /// How far a counter rose: from the first value to the last, and what was counted before each fall.
    package var increase: Double { count == 0 ? 0 : last - first + resets }

    /// The value that a share of the numbers does not exceed: between two neighbours a part of their distance.
    ///
    /// - Parameter sorted: Without NaN; NaN when there are none.
    package static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        guard let last = sorted.last else { return .nan }
        let place = share * Double(sorted.count - 1)
        let index = Int(place.rounded(.down))
        guard index + 1 < sorted.count else { return last }
        let part = place - Double(index)
        // Both terms, because the difference of infinities is none.
        return part == 0 ? sorted[index] : sorted[index] * (1 - part) + sorted[index + 1] * part
    }

    package var average: Double {
        // Where the sum overflows, the running mean does not.
        let direct = sum / Double(count)
        return direct.isInfinite && minimum > -.infinity && maximum < .infinity ? mean : direct
    }

    /// The value of one aggregate.
    ///
    /// NaN for all but counts and sums when there is no sample.
    package subscript(_ aggregate: WindowQuery.Aggregate) -> Double {
        switch aggregate {
        case .count: Double(count)
        case .sum: sum
        case .minimum: minimum
        case .maximum: maximum
        case .average: average
        case .first: first
        case .last: last
        case .firstTime: count == 0 ? .nan : Double(firstTime)
        case .lastTime: count == 0 ? .nan : Double(lastTime)
        case .deviation: (squares / Double(count)).squareRoot()
        case .increase: increase
        case .rate: lastTime > firstTime && count > 1 ? increase / (Double(lastTime - firstTime) / 1e6) : .nan
        }
    }
}
