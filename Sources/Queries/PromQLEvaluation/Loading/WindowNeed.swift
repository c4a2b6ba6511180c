import PromQL
import VigilModel
import VigilPorts

/// A range selector whose function the store can fold: the stretches of all steps, cut into windows of one width.
///
/// A step sees what is after `moment - length` and not after `moment`. Counted in microseconds that is the half-open
/// stretch from `moment - length + 1` to `moment + 1`, so windows that start at the first stretch's start and are as wide
/// as what divides both the length and the step meet the borders of every stretch.
struct WindowNeed: Hashable {
    let matchers: [LabelMatcher]
    /// The end of each step's stretch, which belongs to it.
    let moments: StepGrid
    let length: Int64
    let width: Int64

    /// More windows to a stretch than this, and reading the samples is no more work.
    static let partsMax: Int64 = 256

    /// `nil` when the function is none that can be folded, or its argument no plain selector.
    init?(_ function: String, _ argument: Expression, on grid: StepGrid, _ context: QueryContext) throws(QueryError) {
        guard FoldedFunction.aggregates(of: function) != nil, case .range(let range) = argument.unwrapped.kind else {
            return nil
        }
        moments = try context.moments(range.selector.shift, on: grid)
        length = try context.positive(range.range)
        matchers = range.selector.matchers
        width = moments.count <= 1 ? length : Self.divisor(length, moments.step)
        guard length / width <= Self.partsMax, moments.count > 0 else { return nil }
    }

    // A query has few, and the texts of matchers take longer to mix in than to compare.
    func hash(into hasher: inout Hasher) {
        hasher.combine(moments.start)
        hasher.combine(length)
    }

    /// Where the first window starts.
    var origin: Int64 { moments.start - length + 1 }

    private static func divisor(_ left: Int64, _ right: Int64) -> Int64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}

/// The windows of one series, each joined to what a function asks of it.
struct FoldedSeries {
    let labels: LabelSet
    let windows: [SeriesWindows.Window]

    /// What each step sees, step by step; a step that sees nothing is passed over.
    func eachStep(_ need: WindowNeed, _ body: (Int, WindowAggregate) -> Void) {
        windows.withUnsafeBufferPointer { windows in
            var (low, high) = (0, 0)
            for step in 0..<need.moments.count {
                let moment = need.moments[step]
                while low < windows.count, windows[low].start.microseconds <= moment - need.length { low += 1 }
                high = max(high, low)
                while high < windows.count, windows[high].start.microseconds <= moment { high += 1 }
                guard low < high else { continue }
                if low + 1 == high {
                    if windows[low].known.count > 0 { body(step, windows[low].known) }
                    continue
                }
                var joined = windows[low].known
                for place in low + 1..<high { joined.append(windows[place].known) }
                if joined.count > 0 { body(step, joined) }
            }
        }
    }
}
