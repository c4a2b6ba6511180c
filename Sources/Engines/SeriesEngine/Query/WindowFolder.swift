import VigilModel
import VigilPorts

/// Folds samples in order of time into windows.
///
/// A NaN counts and makes sums NaN; least and greatest pass over NaN unless a window holds nothing else.
struct WindowFolder {
    private let start: Int64
    private let step: UInt64
    private var windows: [WindowAggregate] = []
    private var starts: [Timestamp] = []
    private var window: UInt64?
    private var current = WindowAggregate()

    init(start: Int64, step: Int64) {
        self.start = start
        self.step = UInt64(max(step, 1))
    }

    mutating func add(_ time: Int64, _ value: Double) {
        // The time is never before the start, so the difference fits even where a signed one would not.
        let index = UInt64(bitPattern: time &- start) / step
        if index != window {
            flush()
            window = index
        }
        current.add(value)
    }

    private mutating func flush() {
        guard let window else { return }
        starts.append(Timestamp(microseconds: start &+ Int64(bitPattern: window &* step)))
        windows.append(current)
        current = WindowAggregate()
    }

    mutating func finish(_ aggregates: [WindowQuery.Aggregate]) -> ([Timestamp], [[Double]]) {
        flush()
        window = nil
        return (starts, aggregates.map { aggregate in windows.map { $0[aggregate] } })
    }
}

/// What is known of the samples of one window.
struct WindowAggregate: Sendable {
    private(set) var count = 0
    private(set) var sum = 0.0
    private(set) var minimum = Double.nan
    private(set) var maximum = Double.nan
    private(set) var first = Double.nan
    private(set) var last = Double.nan
    private(set) var increase = 0.0
    // Welford's running mean and sum of squared distances: no cancellation where values are large and close.
    private var mean = 0.0
    private var squares = 0.0

    mutating func add(_ value: Double) {
        if count == 0 { first = value } else { increase += value >= last ? value - last : value }
        count += 1
        sum += value
        if !(minimum <= value) { minimum = value.isNaN ? minimum : value }
        if !(maximum >= value) { maximum = value.isNaN ? maximum : value }
        last = value
        let distance = value - mean
        mean += distance / Double(count)
        squares += distance * (value - mean)
    }

    subscript(_ aggregate: WindowQuery.Aggregate) -> Double {
        switch aggregate {
        case .count: Double(count)
        case .sum: sum
        case .minimum: minimum
        case .maximum: maximum
        case .average: sum / Double(count)
        case .first: first
        case .last: last
        case .deviation: (squares / Double(count)).squareRoot()
        case .increase: increase
        }
    }
}
