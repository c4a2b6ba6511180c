import VigilPorts

/// What a question needs to know of a window; the rest costs nothing.
struct WindowNeeds: OptionSet, Sendable {
    let rawValue: Int
    static let sum = WindowNeeds(rawValue: 1)
    static let bounds = WindowNeeds(rawValue: 2)
    static let squares = WindowNeeds(rawValue: 4)
    static let resets = WindowNeeds(rawValue: 8)
    /// The first number or its time.
    static let first = WindowNeeds(rawValue: 16)
    static let everything: WindowNeeds = [.sum, .bounds, .squares, .resets, .first]

    init(rawValue: Int) {
        self.rawValue = rawValue
    }

    init(_ aggregates: [WindowQuery.Aggregate]) {
        self = []
        for aggregate in aggregates {
            switch aggregate {
            case .count, .last, .lastTime: break
            case .first, .firstTime: insert(.first)
            case .sum: insert(.sum)
            // Where a sum overflows, the average looks at the bounds.
            case .average: insert([.sum, .bounds])
            case .minimum, .maximum: insert(.bounds)
            case .deviation: insert([.sum, .squares])
            case .increase, .rate: insert([.resets, .first])
            }
        }
    }
}
