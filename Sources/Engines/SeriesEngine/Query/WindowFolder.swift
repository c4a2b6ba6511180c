import VigilModel
import VigilPorts

/// Folds samples in order of time into windows.
struct WindowFolder {
    private let start: Int64
    private let step: UInt64
    private let needs: WindowNeeds
    private var windows: [SeriesWindows.Window] = []
    private var window: UInt64?
    /// How far behind `start` the present window ends, as far as that can be said.
    private var windowEnd: UInt64 = 0
    private var current = WindowAggregate()
    private let windowsMax: Int
    private let shares: [Double]
    /// The numbers of the present window, when quantiles are asked for.
    private var numbers: [Double] = []
    /// For each window its quantiles.
    private var quantiles: [[Double]] = []
    /// Of each window what is known of numbers that went, when quantiles are asked for.
    private var kept: [UInt64: KeptNumbers] = [:]

    /// - Parameter windowsMax: As many as there can be, where that is known.
    init(start: Int64, step: Int64, needs: WindowNeeds, quantiles: [Double] = [], windowsMax: Int = 16) {
        shares = quantiles
        self.start = start
        self.step = UInt64(max(step, 1))
        self.needs = needs
        self.windowsMax = windowsMax
    }

    /// How many windows there are so far.
    var count: Int { windows.count + (current.count > 0 ? 1 : 0) }

    // The time is never before the start, so the difference fits even where a signed one would not.
    private func index(_ time: Int64) -> UInt64 { UInt64(bitPattern: time &- start) / step }

    /// Whether all of a stretch of time (both ends belong to it) lies in one window.
    func isInOne(_ first: Int64, _ last: Int64) -> Bool {
        if first < start { return false }
        // Mostly it is the window of what came before.
        if window != nil, isInPresent(first) { return isInPresent(last) }
        return index(first) == index(last)
    }

    /// Whether a time that is not before what was taken already lies in the present window.
    private func isInPresent(_ time: Int64) -> Bool {
        UInt64(bitPattern: time &- start) < windowEnd
    }

    private mutating func enter(_ time: Int64) {
        if window != nil, isInPresent(time) { return }
        let index = index(time)
        guard index != window else { return }
        flush()
        window = index
        let (end, isPast) = (index &+ 1).multipliedReportingOverflow(by: step)
        windowEnd = isPast ? .max : end
    }

    /// Takes numbers in order of time that are not before those taken already; those outside of a range are passed over.
    ///
    /// Returns how many were in the range.
    @discardableResult
    mutating func add(_ column: NumberColumn, from first: Int64, to end: Int64) -> Int {
        column.times.withUnsafeBufferPointer { times in
            column.values.withUnsafeBufferPointer { add(times, $0, from: first, to: end) }
        }
    }

    /// The same of numbers that lie somewhere else; returns how many were in the range.
    mutating func add(
        _ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Double>, from first: Int64, to end: Int64
    ) -> Int {
        let start = Self.lowerBound(times, first)
        let stop = Self.lowerBound(times, end)
        var position = start
        while position < stop {
            enter(times[position])
            let after = endOfRun(times, position, stop)
            current.add(
                UnsafeBufferPointer(rebasing: times[position..<after]),
                UnsafeBufferPointer(rebasing: values[position..<after]), needs)
            if !shares.isEmpty {
                for value in values[position..<after] where !value.isNaN { numbers.append(value) }
            }
            position = after
        }
        return max(0, stop - start)
    }

    /// Where the numbers of the present window end, of which the one at `position` is.
    private func endOfRun(_ times: UnsafeBufferPointer<Int64>, _ position: Int, _ stop: Int) -> Int {
        let offset = windowEnd
        if isInPresent(times[stop - 1]) { return stop }
        // Twice as far each time, then back: long runs cost few steps, and short ones too.
        var stride = 1
        var near = position
        while near + stride < stop, UInt64(bitPattern: times[near + stride] &- start) < offset {
            near += stride
            stride *= 2
        }
        var far = min(near + stride, stop)
        near += 1
        while near < far {
            let middle = (near + far) / 2
            if UInt64(bitPattern: times[middle] &- start) < offset { near = middle + 1 } else { far = middle }
        }
        return near
    }

    /// Takes what is known of a stretch that lies in one window and begins behind what was taken already.
    mutating func add(_ statistics: WindowAggregate) {
        add(statistics, at: statistics.firstTime)
    }

    /// Takes what is known of a stretch into the window in which `time` lies.
    mutating func add(_ statistics: WindowAggregate, at time: Int64) {
        guard statistics.count > 0 else { return }
        enter(time)
        current.append(statistics)
    }

    private static func lowerBound(_ times: UnsafeBufferPointer<Int64>, _ time: Int64) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func flush() {
        guard let window, current.count > 0 else { return }
        if windows.isEmpty { windows.reserveCapacity(windowsMax) }
        windows.append(
            .init(start: Timestamp(microseconds: start &+ Int64(bitPattern: window &* step)), known: current))
        current = WindowAggregate()
        if shares.isEmpty { return }
        if let kept = kept[window] {
            quantiles.append(kept.quantiles(shares, with: numbers))
        } else {
            numbers.sort()
            quantiles.append(shares.map { WindowAggregate.quantile($0, of: numbers) })
        }
        numbers.removeAll(keepingCapacity: true)
    }

    /// Says which numbers of the windows went, before those that are there are taken.
    mutating func expect(_ buckets: [(time: Int64, bucket: RollupBucket)]) {
        if shares.isEmpty { return }
        for (time, bucket) in buckets { kept[index(time), default: KeptNumbers()].add(bucket) }
    }

    /// Joins windows of numbers that went, wherever they lie in time.
    mutating func join(_ other: inout WindowFolder) {
        flush()
        other.flush()
        window = nil
        var (windows, quantiles): ([SeriesWindows.Window], [[Double]]) = ([], [])
        var (here, there) = (0, 0)
        while here < self.windows.count || there < other.windows.count {
            let own = here < self.windows.count ? self.windows[here] : nil
            guard there < other.windows.count else {
                if let own { windows.append(own) }
                if !shares.isEmpty { quantiles.append(self.quantiles[here]) }
                here += 1
                continue
            }
            let kept = other.windows[there]
            if let own, own.start < kept.start {
                windows.append(own)
                if !shares.isEmpty { quantiles.append(self.quantiles[here]) }
                here += 1
                continue
            }
            there += 1
            if let own, own.start == kept.start {
                windows.append(.init(start: kept.start, known: own.known.joined(kept.known)))
                if !shares.isEmpty { quantiles.append(self.quantiles[here]) }
                here += 1
            } else {
                windows.append(kept)
                if !shares.isEmpty { quantiles.append(gone(kept.start)) }
            }
        }
        (self.windows, self.quantiles) = (windows, quantiles)
    }

    /// The quantiles of a window all of whose numbers went.
    private func gone(_ start: Timestamp) -> [Double] {
        kept[index(start.microseconds)]?.quantiles(shares, with: []) ?? shares.map { _ in .nan }
    }

    /// What was folded, window by window.
    mutating func aggregates() -> [WindowAggregate] {
        flush()
        window = nil
        return windows.map(\.known)
    }

    mutating func finish(
        _ identity: SeriesIdentity, _ aggregates: [WindowQuery.Aggregate]
    ) -> SeriesWindows {
        flush()
        window = nil
        return SeriesWindows(
            identity: identity, windows: windows, aggregates: aggregates,
            quantiles: shares.indices.map { share in quantiles.map { $0[share] } })
    }
}
