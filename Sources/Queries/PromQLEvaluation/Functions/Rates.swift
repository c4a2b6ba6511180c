/// Changes of counters and gauges over a window.
enum Rates {
    /// What the change over a stretch is made of; times in microseconds.
    struct Stretch {
        let count: Int
        let first: Double
        /// From the first sample to the last.
        let change: Double
        let firstTime: Int64
        let lastTime: Int64
        let end: Int64
        let length: Int64
    }

    /// The change over the whole window, extrapolated from the samples in it to its ends.
    static func extrapolated(_ window: Window, isCounter: Bool, isRate: Bool) -> Double? {
        guard window.count >= 2 else { return nil }
        var change = window.values[window.count - 1] - window.values[0]
        if isCounter {
            for index in 1..<window.count where window.values[index] < window.values[index - 1] {
                change += window.values[index - 1]
            }
        }
        let stretch = Stretch(
            count: window.count, first: window.values[0], change: change, firstTime: window.times[0],
            lastTime: window.times[window.count - 1], end: window.end, length: window.length)
        return extrapolated(stretch, isCounter: isCounter, isRate: isRate)
    }

    /// As in Prometheus: samples further from an end than 1.1 average intervals end the extrapolation half an interval
    /// beyond them, and a counter is never extrapolated below zero.
    static func extrapolated(_ stretch: Stretch, isCounter: Bool, isRate: Bool) -> Double? {
        guard stretch.count >= 2 else { return nil }
        var toStart = Double(stretch.firstTime - (stretch.end - stretch.length)) / 1e6
        var toEnd = Double(stretch.end - stretch.lastTime) / 1e6
        let sampled = Double(stretch.lastTime - stretch.firstTime) / 1e6
        let average = sampled / Double(stretch.count - 1)
        let threshold = average * 1.1
        if toStart >= threshold { toStart = average / 2 }
        if isCounter, stretch.change > 0, stretch.first >= 0 {
            let toZero = sampled * (stretch.first / stretch.change)
            if toZero < toStart { toStart = toZero }
        }
        if toEnd >= threshold { toEnd = average / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if isRate { factor /= Double(stretch.length) / 1e6 }
        return stretch.change * factor
    }

    /// The change between the last two samples.
    static func instant(_ window: Window, isRate: Bool) -> Double? {
        guard window.count >= 2 else { return nil }
        let (last, previous) = (window.values[window.count - 1], window.values[window.count - 2])
        // A counter that fell began again at zero.
        let change = isRate && last < previous ? last : last - previous
        guard isRate else { return change }
        let interval = Double(window.times[window.count - 1] - window.times[window.count - 2]) / 1e6
        return interval == 0 ? nil : change / interval
    }

    static func changes(_ window: Window) -> Double {
        var count = 0.0
        for index in 1..<max(1, window.count) {
            let (previous, current) = (window.values[index - 1], window.values[index])
            if current != previous, !(current.isNaN && previous.isNaN) { count += 1 }
        }
        return count
    }

    static func resets(_ window: Window) -> Double {
        var count = 0.0
        for index in 1..<max(1, window.count) where window.values[index] < window.values[index - 1] { count += 1 }
        return count
    }

    /// Double exponential smoothing: a smoothed value and a smoothed trend.
    static func smoothed(_ window: Window, factor: Double, trendFactor: Double) -> Double? {
        guard window.count >= 2 else { return nil }
        var smooth = window.values[0]
        var previousSmooth = 0.0
        var trend = window.values[1] - window.values[0]
        for index in 1..<window.count {
            let scaled = factor * window.values[index]
            if index > 1 { trend = trendFactor * (smooth - previousSmooth) + (1 - trendFactor) * trend }
            previousSmooth = smooth
            smooth = scaled + (1 - factor) * (smooth + trend)
        }
        return smooth
    }
}
