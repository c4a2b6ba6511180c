import VigilModel
import VigilPorts

extension SeriesEngine {
    /// Removes a range of these series from what is kept of readings that went; says how many readings that were.
    ///
    /// A bucket of which only a part goes is made anew: from the readings, where they lie in a part of the archive that is
    /// open, else from the narrower buckets that are left of it; where neither is there, it goes whole.
    @discardableResult
    static func removeFromRollups(
        _ entries: [SeriesEntry], from start: Int64, to end: Int64, _ rollups: RollupStore, _ memory: SeriesMemory
    ) throws(StoreError) -> Int {
        var count = 0
        var changes: [(RollupFile, SourceGroup, RollupChange)] = []
        for (_, some) in Dictionary(grouping: entries, by: { $0.group.number }) {
            guard let group = some.first?.group else { continue }
            let known = memory.rollups(group).filter { reference in
                reference.lastTime >= start && reference.firstTime < end
                    && some.contains { reference.series.contains($0.number) }
            }
            if known.isEmpty { continue }
            var removal = RollupRemoval(start: start, end: end, group: group, memory: memory)
            for reference in known { removal.take(reference, try reference.all()) }
            for entry in some { count += try removal.remove(entry) }
            for (file, change) in removal.changes(rollups) { changes.append((file, group, change)) }
        }
        for (_, some) in Dictionary(grouping: changes, by: { ObjectIdentifier($0.0) }) {
            guard let file = some.first?.0 else { continue }
            try file.write(some.map(\.2))
            for (_, group, change) in some { memory.replace([], by: [], of: group, rollups: change) }
            try file.giveBack()
        }
        return count
    }
}

/// Takes a range of time out of the rollups of one group.
private struct RollupRemoval {
    let start: Int64
    let end: Int64
    let group: SourceGroup
    let archive: [ChunkReference]
    private var pieces: [(reference: RollupReference, columns: [UInt32: [WindowAggregate]], isChanged: Bool)] = []

    init(start: Int64, end: Int64, group: SourceGroup, memory: SeriesMemory) {
        self.start = start
        self.end = end
        self.group = group
        archive = memory.frozen(group).chunks.filter { $0.file.tier == .archive }
    }

    mutating func take(_ reference: RollupReference, _ columns: [UInt32: [WindowAggregate]]) {
        pieces.append((reference, columns, false))
    }

    private func isTouched(_ bucket: WindowAggregate) -> Bool { bucket.firstTime < end && bucket.lastTime >= start }
    private func isWhole(_ bucket: WindowAggregate) -> Bool { bucket.firstTime >= start && bucket.lastTime < end }

    /// Removes a series from the narrowest buckets to the widest; says how many readings went that are nowhere else.
    mutating func remove(_ entry: SeriesEntry) throws(StoreError) -> Int {
        let before = buckets(entry.number)
        var removed: [RollupResolution: Int] = [:]
        for resolution in RollupResolution.allCases {
            // What is left of the narrower ones stands here already.
            let narrower = buckets(entry.number)
            for index in pieces.indices where pieces[index].reference.resolution == resolution {
                guard let column = pieces[index].columns[entry.number], column.contains(where: isTouched) else {
                    continue
                }
                var rest: [WindowAggregate] = []
                for bucket in column {
                    guard isTouched(bucket) else {
                        rest.append(bucket)
                        continue
                    }
                    let (raw, isArchived) = try archived(bucket, resolution, entry)
                    let left = isArchived ? raw : remade(bucket, resolution, before, narrower)
                    if !isArchived { removed[resolution, default: 0] += bucket.count - (left?.count ?? 0) }
                    if let left { rest.append(left) }
                }
                pieces[index].columns[entry.number] = rest
                pieces[index].isChanged = true
            }
        }
        return removed.values.max() ?? 0
    }

    private func buckets(_ series: UInt32) -> [RollupResolution: [WindowAggregate]] {
        var result: [RollupResolution: [WindowAggregate]] = [:]
        for piece in pieces { result[piece.reference.resolution, default: []] += piece.columns[series] ?? [] }
        return result
    }

    /// The bucket as the open archive has it now; its readings were removed there before.
    private func archived(
        _ bucket: WindowAggregate, _ resolution: RollupResolution, _ entry: SeriesEntry
    ) throws(StoreError) -> (WindowAggregate?, Bool) {
        let files = archive.filter { chunk in
            let stretch = chunk.file.stretch
            return bucket.firstTime >= stretch.start && bucket.firstTime < stretch.end
        }
        if files.isEmpty { return (nil, false) }
        let first = resolution.bucket(of: bucket.firstTime) * resolution.length
        let samples = try SeriesReader(entry: entry, chunks: files, blocks: []).samples(
            from: first, to: first + resolution.length)
        return (Rollup.buckets(NumberColumn(samples), resolution).first, true)
    }

    /// What is left of a bucket, as far as narrower ones knew all of it.
    private func remade(
        _ bucket: WindowAggregate, _ resolution: RollupResolution, _ before: [RollupResolution: [WindowAggregate]],
        _ after: [RollupResolution: [WindowAggregate]]
    ) -> WindowAggregate? {
        if isWhole(bucket) { return nil }
        let number = resolution.bucket(of: bucket.firstTime)
        for narrower in RollupResolution.allCases.reversed() where narrower < resolution {
            let own = { (all: [WindowAggregate]?) in
                (all ?? []).filter { resolution.bucket(of: $0.firstTime) == number }
            }
            guard own(before[narrower]).reduce(0, { $0 + $1.count }) == bucket.count else { continue }
            var left = WindowAggregate()
            for part in own(after[narrower]).sorted(by: { $0.firstTime < $1.firstTime }) { left = left.joined(part) }
            return left.count == 0 ? nil : left
        }
        return nil
    }

    /// What is to be written, file by file.
    func changes(_ rollups: RollupStore) -> [(RollupFile, RollupChange)] {
        pieces.filter(\.isChanged).map { reference, columns, _ in
            var change = RollupChange(removed: [reference])
            let new = rollups.new(columns, reference.resolution, group: reference.group, in: reference.file)
            if let new { change.added.append(new) }
            return (reference.file, change)
        }
    }
}
