import VigilModel
import VigilPorts

extension SeriesEngine {
    /// Removes a range of these series from what is kept of readings that went; says how many readings that were.
    ///
    /// A bucket of which only a part goes is made anew: from the readings, where they lie in a part of the archive that is
    /// open, else from the narrower buckets that are left of it; where neither is there, it goes whole.
    ///
    /// - Parameter archived: What lay in the archive before the removal.
    @discardableResult
    static func removeFromRollups(
        _ entries: [SeriesEntry], from start: Int64, to end: Int64, _ rollups: RollupStore, _ memory: SeriesMemory,
        archived: ArchivedStretches = [:]
    ) throws(StoreError) -> Int {
        var count = 0
        var changes: [(RollupFile, SourceGroup, RollupChange)] = []
        for (_, some) in Dictionary(grouping: entries, by: { $0.group.number }) {
            guard let group = some.first?.group else { continue }
            let known = memory.rollups(group, of: some, from: start, to: end)
            if known.isEmpty { continue }
            var removal = RollupRemoval(
                start: start, end: end, chunks: memory.frozen(group).chunks, archived: archived)
            for reference in known { removal.take(reference, try reference.all()) }
            for entry in some { count += try removal.remove(entry) ?? 0 }
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

/// The stretches of time of which an open part of the archive holds readings, by series.
typealias ArchivedStretches = [UInt32: [(start: Int64, end: Int64)]]

extension SeriesEngine {
    /// What lies in the open parts of the archive.
    static func archived(_ entries: [SeriesEntry], _ memory: SeriesMemory) -> ArchivedStretches {
        let groups = Dictionary(entries.map { ($0.group.number, $0.group) }, uniquingKeysWith: { first, _ in first })
        return archived(groups.values.flatMap { memory.frozen($0).chunks })
    }

    static func archived(_ chunks: [ChunkReference]) -> ArchivedStretches {
        var result: ArchivedStretches = [:]
        for chunk in chunks where chunk.file.tier == .archive {
            for column in chunk.columns { result[column.series, default: []].append(chunk.file.stretch) }
        }
        return result
    }
}

extension SeriesMemory {
    /// What is kept of readings that went, of some series of a group in a range.
    func rollups(
        _ group: SourceGroup, of entries: [SeriesEntry], from start: Int64, to end: Int64
    ) -> [RollupReference] {
        rollups(group).filter { reference in
            reference.lastTime >= start && reference.firstTime < end
                && entries.contains { reference.series.contains($0.number) }
        }
    }
}

/// Takes a range of time out of the rollups of one group.
struct RollupRemoval {
    let start: Int64
    let end: Int64
    /// The parts of the archive, as they are now.
    private let archive: [ChunkReference]
    /// What lay in the archive before the removal.
    private let stretches: ArchivedStretches
    private var pieces: [(reference: RollupReference, columns: [UInt32: [RollupBucket]], isChanged: Bool)] = []

    init(start: Int64, end: Int64, chunks: [ChunkReference], archived: ArchivedStretches) {
        self.start = start
        self.end = end
        archive = chunks.filter { $0.file.tier == .archive }
        stretches = archived
    }

    mutating func take(_ reference: RollupReference, _ columns: [UInt32: [RollupBucket]]) {
        pieces.append((reference, columns, false))
    }

    private func isTouched(_ bucket: RollupBucket) -> Bool { bucket.firstTime < end && bucket.lastTime >= start }
    private func isWhole(_ bucket: RollupBucket) -> Bool { bucket.firstTime >= start && bucket.lastTime < end }

    /// Removes a series from the narrowest buckets to the widest; says how many readings went that are nowhere else.
    ///
    /// `nil` when nothing is kept of it in the range, or only of readings that lie in the archive.
    mutating func remove(_ entry: SeriesEntry) throws(StoreError) -> Int? {
        let before = buckets(entry.number)
        var removed: [RollupResolution: Int] = [:]
        var isLost = false
        for resolution in RollupResolution.allCases {
            // What is left of the narrower ones stands here already.
            let narrower = buckets(entry.number)
            for index in pieces.indices where pieces[index].reference.resolution == resolution {
                guard let column = pieces[index].columns[entry.number], column.contains(where: isTouched) else {
                    continue
                }
                var rest: [RollupBucket] = []
                for bucket in column {
                    guard isTouched(bucket) else {
                        rest.append(bucket)
                        continue
                    }
                    let (raw, isArchived) = try archived(bucket, resolution, entry)
                    let left = isArchived ? raw : remade(bucket, resolution, before, narrower)
                    if !isArchived {
                        removed[resolution, default: 0] += bucket.count - (left?.count ?? 0)
                        isLost = true
                    }
                    if let left { rest.append(left) }
                }
                pieces[index].columns[entry.number] = rest
                pieces[index].isChanged = true
            }
        }
        return isLost ? removed.values.max() ?? 0 : nil
    }

    private func buckets(_ series: UInt32) -> [RollupResolution: [RollupBucket]] {
        var result: [RollupResolution: [RollupBucket]] = [:]
        for piece in pieces { result[piece.reference.resolution, default: []] += piece.columns[series] ?? [] }
        return result
    }

    /// The bucket as the open archive has it now; its readings were removed there before.
    private func archived(
        _ bucket: RollupBucket, _ resolution: RollupResolution, _ entry: SeriesEntry
    ) throws(StoreError) -> (RollupBucket?, Bool) {
        let isArchived =
            stretches[entry.number]?.contains { bucket.firstTime >= $0.start && bucket.firstTime < $0.end } ?? false
        guard isArchived else { return (nil, false) }
        let files = archive.filter { chunk in
            let stretch = chunk.file.stretch
            return bucket.firstTime >= stretch.start && bucket.firstTime < stretch.end
        }
        let first = resolution.bucket(of: bucket.firstTime) * resolution.length
        let samples = try SeriesReader(entry: entry, chunks: files, blocks: []).samples(
            from: first, to: first + resolution.length)
        return (Rollup.kept(NumberColumn(samples), resolution).first, true)
    }

    /// What is left of a bucket, as far as narrower ones knew all of it.
    private func remade(
        _ bucket: RollupBucket, _ resolution: RollupResolution, _ before: [RollupResolution: [RollupBucket]],
        _ after: [RollupResolution: [RollupBucket]]
    ) -> RollupBucket? {
        if isWhole(bucket) { return nil }
        let number = resolution.bucket(of: bucket.firstTime)
        for narrower in RollupResolution.allCases.reversed() where narrower < resolution {
            let own = { (all: [RollupBucket]?) in
                (all ?? []).filter { resolution.bucket(of: $0.firstTime) == number }
            }
            guard own(before[narrower]).reduce(0, { $0 + $1.count }) == bucket.count else { continue }
            var left = RollupBucket()
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
