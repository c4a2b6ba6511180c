/// Changes of counters and gauges over a window.
enum Rates {
    /// The change over the whole window, extrapolated from the samples in it to its ends.
    ///
    /// As in Prometheus: samples further from an end than 1.1 average intervals end the extrapolation half an interval
    /// beyond them, and a counter is never extrapolated below zero.
    static func extrapolated(_ window: Window, isCounter: Bool, isRate: Bool) -> Double? {
        guard window.count >= 2 else { return nil }
        let (first, last) = (window.values[0], window.values[window.count - 1])
        var change = last - first
        if isCounter {
            for index in 1..<window.count where window.values[index] < window.values[index - 1] {
                change += window.values[index - 1]
            }
        }
        var toStart = Double(window.times[0] - window.start) / 1e6
        var toEnd = Double(window.end - window.times[window.count - 1]) / 1e6
        let sampled = Double(window.times[window.count - 1] - window.times[0]) / 1e6
        let average = sampled / Double(window.count - 1)
        let threshold = average * 1.1
        if toStart >= threshold { toStart = average / 2 }
        if isCounter, change > 0, first >= 0 {
            let toZero = sampled * (first / change)
            if toZero < toStart { toStart = toZero }
        }
        if toEnd >= threshold { toEnd = average / 2 }
        var factor = (sampled + toStart + toEnd) / sampled
        if isRate { factor /= Double(window.length) / 1e6 }
        return change * factor
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
