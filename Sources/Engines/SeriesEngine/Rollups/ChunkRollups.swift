import VigilPorts

/// The rollups that lie beside a chunk, so that questions by the minute, hour or day need not decode it.
///
/// They are made and removed in the transaction of their chunk: whatever changes a chunk makes it anew, and its rollups
/// with it, so the two never differ. Where chunks and rows overlap in time their samples are merged as always.
enum ChunkRollups {
    /// A rollup is made where it has so many samples to a bucket; with fewer it saves little time for its bytes.
    static let samplesPerBucketMin = 720

    /// The rollups of the columns that are dense enough, by resolution.
    static func of(_ columns: [(series: UInt32, samples: RawSeries)]) -> [(RollupResolution, [UInt8])] {
        var result: [(RollupResolution, [UInt8])] = []
        for resolution in RollupResolution.allCases {
            var dense: [(series: UInt32, buckets: [WindowAggregate])] = []
            for (series, samples) in columns where isDense(samples, resolution) {
                let buckets = Rollup.buckets(NumberColumn(samples), resolution)
                if !buckets.isEmpty { dense.append((series, buckets)) }
            }
            if !dense.isEmpty { result.append((resolution, Rollup.encode(dense, resolution))) }
        }
        return result
    }

    private static func isDense(_ series: RawSeries, _ resolution: RollupResolution) -> Bool {
        guard let first = series.samples.first?.time, let last = series.samples.last?.time else { return false }
        let buckets = resolution.bucket(of: last) - resolution.bucket(of: first) + 1
        // What lies in one bucket is known from the chunk's statistics.
        return buckets > 1 && Int64(series.samples.count / samplesPerBucketMin) >= buckets
    }
}

/// The windows of a question, as rollups see them.
struct WindowGrid {
    let start: Int64
    let end: Int64
    let step: Int64

    /// Whether no bucket lies across the border of a window, but for a number at its very beginning; nothing at or behind
    /// `lastTime` counts.
    ///
    /// Windows begin where buckets do, or one microsecond later: PromQL leaves out the start of a stretch and takes in its
    /// end, which in whole microseconds is the half-open stretch from one to one later.
    func fits(_ resolution: RollupResolution, lastTime: Int64) -> Bool {
        let later: Int64 = resolution.isAligned(start) ? 0 : 1
        guard resolution.isAligned(start &- later), resolution.isAligned(end &- later) || lastTime < end else {
            return false
        }
        if resolution.isAligned(step) { return true }
        let (width, isWide) = end.subtractingReportingOverflow(start)
        return !isWide && width <= step
    }

    /// What of a bucket that fits belongs to each window: its first number belongs to the window before where it lies one
    /// microsecond before the border.
    ///
    /// - Returns: `nil` when the bucket does not say what is left of it without that number.
    func parts(of bucket: WindowAggregate, _ needs: WindowNeeds) -> [WindowAggregate]? {
        let first = bucket.firstTime
        let isLast = first &+ 1 == end
        guard isLast || first &+ 1 >= start && (first &+ 1 &- start) % step == 0 else {
            return first >= start && first < end ? [bucket] : []
        }
        var parts: [WindowAggregate] = []
        if first >= start {
            var edge = WindowAggregate()
            edge.add(first, bucket.first)
            parts.append(edge)
        }
        if isLast || bucket.count == 1 { return parts }
        guard let rest = bucket.withoutFirst(needs) else { return nil }
        return parts + [rest]
    }

    /// The widest buckets that answer the question, of those that there are.
    func widest(of set: RollupSet, lastTime: Int64) -> RollupResolution? {
        if set.isEmpty { return nil }
        return RollupResolution.allCases.last {
            set.contains(RollupSet($0)) && fits($0, lastTime: lastTime)
        }
    }
}

extension WindowAggregate {
    /// So much greater than what is left may a number be that is taken out of a sum.
    private static let shareMax = 16.0

    /// What is left without the first number, as far as the question needs it; `nil` where that is not known.
    fileprivate func withoutFirst(_ needs: WindowNeeds) -> WindowAggregate? {
        // Of the second number nothing is known.
        if !needs.isDisjoint(with: [.first, .resets, .squares]) { return nil }
        if needs.contains(.bounds), !(minimum < first && first < maximum) { return nil }
        let rest = sum - first
        if needs.contains(.sum), !(rest.isFinite && abs(first) <= abs(rest) * Self.shareMax) { return nil }
        return WindowAggregate(
            count: count - 1, sum: rest, minimum: minimum, maximum: maximum, last: last, firstTime: firstTime + 1,
            lastTime: lastTime)
    }
}
