import VigilModel
import VigilPorts

/// The moments at which an expression is evaluated, in microseconds.
struct StepGrid: Hashable, Sendable {
    let start: Int64
    /// Positive; of no meaning when there is one moment.
    let step: Int64
    let count: Int

    static func instant(_ time: Int64) -> StepGrid { StepGrid(start: time, step: 1, count: 1) }

    init(start: Int64, step: Int64, count: Int) {
        self.start = start
        self.step = step
        self.count = count
    }

    /// The moments from `start` to `end`, both included.
    init(from start: Int64, to end: Int64, step: Int64) {
        self.init(start: start, step: step, count: end < start ? 0 : Int((end - start) / step) + 1)
    }

    subscript(_ index: Int) -> Int64 { start + Int64(index) * step }
    var last: Int64 { self[max(0, count - 1)] }
}

/// One series of an instant vector over all steps.
struct StepSeries: Sendable {
    /// Stands where a series has no value at a step: Prometheus' stale marker, which arithmetic never makes.
    static let absent = Double(bitPattern: staleBits)
    static let staleBits = WindowAggregate.staleBits

    var labels: LabelSet
    /// Whether the metric name falls away in the result; until then functions can still read it.
    var dropsName = false
    var values: [Double]

    @inline(__always)
    static func isAbsent(_ value: Double) -> Bool { value.bitPattern == staleBits }

    var isEmpty: Bool { values.allSatisfy(Self.isAbsent) }
}

/// The samples of one series.
struct SampleSeries: Sendable {
    let labels: LabelSet
    var dropsName = false
    var times: [Int64]
    var values: [Double]
}

/// What an expression gives over a grid.
enum StepValue {
    case scalar([Double])
    case string(String)
    case vector([StepSeries])
}
