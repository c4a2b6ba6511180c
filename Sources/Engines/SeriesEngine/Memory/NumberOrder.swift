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
                if moves > 8 * count {
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

    private static func sort(
        _ times: UnsafeMutableBufferPointer<Int64>, _ values: UnsafeMutableBufferPointer<Double>, count: Int
    ) {
        let pairs = (0..<count).map { (time: times[$0], place: $0, value: values[$0]) }
            .sorted { ($0.time, $0.place) < ($1.time, $1.place) }
        for (place, pair) in pairs.enumerated() { (times[place], values[place]) = (pair.time, pair.value) }
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
