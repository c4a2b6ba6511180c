import VigilPorts

/// The functions over time that need no samples, only what a store knows of a window.
struct FoldedFunction {
    /// What the store is asked for.
    let aggregates: [WindowQuery.Aggregate]
    /// The function's value; the end of the stretch and its length are in microseconds.
    let value: (_ window: WindowAggregate, _ end: Int64, _ length: Int64) -> Double?

    static func aggregates(of name: String) -> [WindowQuery.Aggregate]? {
        name == "absent_over_time" ? [.count] : named(name)?.aggregates
    }

    static func named(_ name: String) -> FoldedFunction? {
        switch name {
        case "rate": rate(isCounter: true, isRate: true)
        case "increase": rate(isCounter: true, isRate: false)
        case "delta": rate(isCounter: false, isRate: false)
        case "sum_over_time": FoldedFunction(aggregates: [.count, .sum]) { window, _, _ in window.sum }
        case "avg_over_time":
            FoldedFunction(aggregates: [.count, .sum, .average, .minimum, .maximum]) { window, _, _ in window.average }
        case "min_over_time": FoldedFunction(aggregates: [.count, .minimum]) { window, _, _ in window.minimum }
        case "max_over_time": FoldedFunction(aggregates: [.count, .maximum]) { window, _, _ in window.maximum }
        case "count_over_time": FoldedFunction(aggregates: [.count]) { window, _, _ in Double(window.count) }
        case "present_over_time": FoldedFunction(aggregates: [.count]) { _, _, _ in 1 }
        case "last_over_time": FoldedFunction(aggregates: [.count, .last]) { window, _, _ in window.last }
        case "first_over_time": FoldedFunction(aggregates: [.count, .first]) { window, _, _ in window.first }
        case "stddev_over_time": spread { ($0.squares / Double($0.count)).squareRoot() }
        case "stdvar_over_time": spread { $0.squares / Double($0.count) }
        case "ts_of_first_over_time":
            FoldedFunction(aggregates: [.count, .firstTime]) { window, _, _ in Double(window.firstTime) / 1e6 }
        case "ts_of_last_over_time":
            FoldedFunction(aggregates: [.count, .lastTime]) { window, _, _ in Double(window.lastTime) / 1e6 }
        default: nil
        }
    }

    private static func spread(_ value: @escaping (WindowAggregate) -> Double) -> FoldedFunction {
        FoldedFunction(aggregates: [.count, .sum, .average, .deviation]) { window, _, _ in value(window) }
    }

    private static func rate(isCounter: Bool, isRate: Bool) -> FoldedFunction {
        let aggregates: [WindowQuery.Aggregate] = [.count, .first, .last, .firstTime, .lastTime]
        return FoldedFunction(aggregates: aggregates + (isCounter ? [.increase] : [])) { window, end, length in
            Rates.extrapolated(
                Rates.Stretch(
                    count: window.count, first: window.first,
                    change: isCounter ? window.increase : window.last - window.first,
                    firstTime: window.firstTime, lastTime: window.lastTime, end: end, length: length),
                isCounter: isCounter, isRate: isRate)
        }
    }
}
