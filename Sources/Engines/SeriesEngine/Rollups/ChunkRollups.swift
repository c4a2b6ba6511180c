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

    /// Whether no bucket lies across the border of a window; nothing at or behind `lastTime` counts.
    func fits(_ resolution: RollupResolution, lastTime: Int64) -> Bool {
        guard resolution.isAligned(start), resolution.isAligned(end) || lastTime < end else { return false }
        if resolution.isAligned(step) { return true }
        let (width, isWide) = end.subtractingReportingOverflow(start)
        return !isWide && width <= step
    }

    /// The widest buckets that answer the question, of those that there are.
    func widest(of set: RollupSet, lastTime: Int64) -> RollupResolution? {
        if set.isEmpty { return nil }
        return RollupResolution.allCases.last {
            set.contains(RollupSet($0)) && fits($0, lastTime: lastTime)
        }
    }
}
