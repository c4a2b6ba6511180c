import VigilModel
import VigilPorts

/// Answers a question about one group from what is kept of readings that went.
///
/// Rollups are kept by whole days, so for each day the best resolution that is left answers: the widest whose buckets
/// lie across no border of a window, else the narrowest; then a bucket counts where its first number lies. A number at the
/// very beginning of a bucket that belongs to the window before counts with its bucket where it cannot be told from it.
struct KeptRollups {
    private let references: [RollupReference]
    private let grid: WindowGrid
    private let needs: WindowNeeds
    private let hasSketches: Bool
    private let hidden: [(series: Set<UInt32>, start: Int64, end: Int64)]

    /// - Parameter hasSketches: Whether quantiles are asked for.
    init(_ snapshot: SeriesMemory.Snapshot, grid: WindowGrid, needs: WindowNeeds, hasSketches: Bool) {
        self.hasSketches = hasSketches
        references = snapshot.rollups.filter { $0.lastTime >= grid.start && $0.firstTime < grid.end }
        self.grid = grid
        self.needs = needs
        // While a part of the archive is attached its readings answer, not what is kept of them.
        hidden = snapshot.chunks.filter { $0.file.tier == .archive }.map { chunk in
            let range = chunk.file.stretch
            return (Set(chunk.columns.map(\.series)), range.start, range.end)
        }
    }

    /// The buckets of a series in order of time, each with a time of the window that it counts in.
    func buckets(of entry: SeriesEntry) throws(StoreError) -> [(time: Int64, bucket: RollupBucket)] {
        let own = references.filter { $0.series.contains(entry.number) }
        if own.isEmpty { return [] }
        let hidden = hidden.filter { $0.series.contains(entry.number) }
        var result: [(time: Int64, bucket: RollupBucket)] = []
        var answered: Set<Int64> = []
        for resolution in order(own) {
            var found: [Int64: RollupBucket] = [:]
            for reference in own where reference.resolution == resolution {
                let day = RollupResolution.day
                let days = day.bucket(of: reference.firstTime)...day.bucket(of: reference.lastTime)
                if days.allSatisfy(answered.contains) { continue }
                for bucket in try reference.content().kept(
                    entry.number, of: reference, hasSketches: hasSketches)
                {
                    let time = bucket.firstTime
                    guard time >= grid.start || time &+ 1 == grid.start, time < grid.end,
                        !answered.contains(RollupResolution.day.bucket(of: time)),
                        !hidden.contains(where: { time >= $0.start && time < $0.end })
                    else { continue }
                    let number = resolution.bucket(of: time)
                    found[number] = found[number]?.joined(bucket) ?? bucket
                }
            }
            for bucket in found.values { answered.insert(RollupResolution.day.bucket(of: bucket.firstTime)) }
            for bucket in found.values { result += placed(bucket) }
        }
        return result.sorted { $0.time < $1.time }
    }

    private func placed(_ bucket: RollupBucket) -> [(time: Int64, bucket: RollupBucket)] {
        if let parts = grid.parts(of: bucket, needs) { return parts.map { ($0.firstTime, $0) } }
        return [(bucket.firstTime + 1, bucket)]
    }

    private func order(_ own: [RollupReference]) -> [RollupResolution] {
        let lasts = Dictionary(own.map { ($0.resolution, $0.lastTime) }, uniquingKeysWith: max)
        let (fitting, others) = lasts.keys.sorted().reduce(into: ([RollupResolution](), [RollupResolution]())) {
            if grid.fits($1, lastTime: lasts[$1] ?? .max) { $0.0.append($1) } else { $0.1.append($1) }
        }
        return fitting.reversed() + others
    }
}

extension RollupContent {
    /// The buckets of a series, none when it has none.
    func kept(
        _ series: UInt32, of reference: RollupReference, hasSketches: Bool
    ) throws(StoreError) -> [RollupBucket] {
        do {
            return try kept(series, hasSketches: hasSketches) ?? []
        } catch {
            throw StoreError(error, file: reference.file.name, chunk: reference.id)
        }
    }
}
