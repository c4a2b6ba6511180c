/// Sorted lists of numbers without repetition.
enum Postings {
    static func lowerBound(_ list: [UInt32], _ value: UInt32, from start: Int = 0) -> Int {
        var (low, high) = (start, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    static func union(_ lists: [[UInt32]]) -> [UInt32] {
        guard let first = lists.first else { return [] }
        if lists.count == 1 { return first }
        var all = lists.flatMap { $0 }
        all.sort()
        var kept = 0
        for index in all.indices where kept == 0 || all[index] != all[kept - 1] {
            all[kept] = all[index]
            kept += 1
        }
        all.removeLast(all.count - kept)
        return all
    }

    static func intersection(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        let (short, long) = left.count <= right.count ? (left, right) : (right, left)
        var result: [UInt32] = []
        result.reserveCapacity(short.count)
        var place = 0
        for value in short {
            place = seek(long, value, from: place)
            if place == long.count { break }
            if long[place] == value { result.append(value) }
        }
        return result
    }

    static func difference(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(left.count)
        var place = 0
        for value in left {
            place = seek(right, value, from: place)
            if place == right.count || right[place] != value { result.append(value) }
        }
        return result
    }

    /// The first place at or behind `start` whose number is not less; doubling steps make near places cheap.
    private static func seek(_ list: [UInt32], _ value: UInt32, from start: Int) -> Int {
        var near = start
        var stride = 1
        while near + stride < list.count, list[near + stride] < value {
            near += stride
            stride *= 2
        }
        var (low, high) = (near, min(near + stride + 1, list.count))
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
