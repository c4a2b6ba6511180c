/// Puts the numbers of a column in order of time.
///
/// Readings that several senders send at once come nearly in order, so that only neighbours change places.
enum NumberOrder {
    /// Keeps what is in a range of time, moved to the beginning of `places`; returns where it ends.
    static func keep(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>,
        _ places: Range<Int>, from start: Int64, to end: Int64
    ) -> Int {
        var kept = places.lowerBound
        for place in places where times[place] >= start && times[place] < end {
            (times[kept], values[kept]) = (times[place], values[place])
            kept += 1
        }
        return kept
    }

    /// Sorts the first `count`, of which `ordered` grow already, and keeps of several with one time the one that stood
    /// last; returns how many are left.
    static func settle(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, count: Int,
        ordered: Int = 0
    ) -> Int {
        // Behind so many moves of each number, joining what grows already is less work.
        let movesMax = 2
        var moves = 0
        var hasDoubles = false
        var place = max(ordered, 1)
        while place < count {
            let time = times[place]
            if times[place - 1] >= time {
                hasDoubles = hasDoubles || times[place - 1] == time
                let value = values[place]
                var target = place
                while target > 0, times[target - 1] > time {
                    (times[target], values[target]) = (times[target - 1], values[target - 1])
                    target -= 1
                }
                (times[target], values[target]) = (time, value)
                if target > 0, times[target - 1] == time { hasDoubles = true }
                moves += place - target
                if moves > movesMax * count {
                    sort(times, values, count: count)
                    hasDoubles = true
                    break
                }
            }
            place += 1
        }
        return hasDoubles ? withoutDoubles(times, values, count: count) : count
    }

    /// The places of `count` times in their order; of one time, those that stood first come first.
    static func order(_ count: Int, _ time: (Int) -> Int64) -> [Int] {
        var order = Array(0..<count)
        var moves = 0
        for place in 1..<count {
            let moved = order[place]
            let own = time(moved)
            var target = place
            while target > 0, time(order[target - 1]) > own {
                order[target] = order[target - 1]
                target -= 1
            }
            order[target] = moved
            moves += place - target
            if moves > 8 * count { return (0..<count).sorted { (time($0), $0) < (time($1), $1) } }
        }
        return order
    }

    /// Joins what grows already, two stretches at a time; of one time, those that stood first come first.
    private static func sort(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, count: Int
    ) {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: count) { otherTimes in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { otherValues in
                var source = Numbers(times: times, values: values)
                var target = Numbers(times: otherTimes, values: otherValues)
                var isHome = true
                while source.endOfRun(0, count) < count {
                    var place = 0
                    while place < count {
                        let middle = source.endOfRun(place, count)
                        let stop = middle < count ? source.endOfRun(middle, count) : count
                        source.merge(place..<middle, middle..<stop, to: target)
                        place = stop
                    }
                    swap(&source, &target)
                    isHome.toggle()
                }
                if !isHome { source.merge(0..<count, count..<count, to: target) }
            }
        }
    }

    private struct Numbers {
        let times: UnsafeMutableBufferPointer<Int64>
        let values: UnsafeMutableBufferPointer<Double>

        func endOfRun(_ start: Int, _ count: Int) -> Int {
            var place = start + 1
            while place < count, times[place] >= times[place - 1] { place += 1 }
            return place
        }

        /// Joins two stretches, of which the second follows the first, in the same places of `target`.
        func merge(_ first: Range<Int>, _ second: Range<Int>, to target: Numbers) {
            var (here, there) = (first.lowerBound, second.lowerBound)
            for place in first.lowerBound..<second.upperBound {
                let isHere =
                    here < first.upperBound && (there == second.upperBound || times[here] <= times[there])
                let source = isHere ? here : there
                (target.times[place], target.values[place]) = (times[source], values[source])
                if isHere { here += 1 } else { there += 1 }
            }
        }
    }

    private static func withoutDoubles(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, count: Int
    ) -> Int {
        var kept = 0
        for place in 0..<count {
            if kept > 0, times[kept - 1] == times[place] { kept -= 1 }
            (times[kept], values[kept]) = (times[place], values[place])
            kept += 1
        }
        return kept
    }
}
