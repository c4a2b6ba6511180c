import VigilPorts

extension WindowAggregate {
    /// This with numbers of the same window that may lie before, behind or among these.
    ///
    /// All but the resets are exact: between two that lie among each other the falls of each count.
    func joined(_ other: WindowAggregate) -> WindowAggregate {
        if other.count == 0 { return self }
        if count == 0 { return other }
        if firstTime > other.firstTime { return other.joined(self) }
        var result = self
        result.append(other)
        if lastTime < other.firstTime { return result }
        let isLast = lastTime > other.lastTime
        return WindowAggregate(
            count: result.count, sum: result.sum, average: result.mean, minimum: result.minimum,
            maximum: result.maximum, first: first, last: isLast ? last : other.last, firstTime: firstTime,
            lastTime: isLast ? lastTime : other.lastTime, resets: resets + other.resets, squares: result.squares)
    }
}
