import VigilModel
import VigilPorts

extension SeriesEngine {
    /// Lets readings go, and keeps of them the rollups that are to outlive them.
    ///
    /// The rollups are written first, with the names of the chunks that go; then questions see the ones instead of the
    /// others; then `remove` takes the chunks from the disk. A crash in between is finished at the next start.
    /// - Parameters:
    ///   - leaving: Of each group the chunks that go, and what stays of them.
    ///   - ready: Rollups that were made before, by group.
    func letGo(
        _ leaving: [Leaving], of file: ChunkFile, at now: Timestamp, _ ready: [UInt32: ReadyRollups] = [:],
        remove: () throws(StoreError) -> Void
    ) throws(StoreError) {
        var changes: [RollupChange] = []
        let target = leaving.contains { isKept($0) } ? try rollups.file(for: file.stretch.start) : nil
        for some in leaving {
            guard let target else {
                changes.append(RollupChange())
                continue
            }
            if let ready = ready[some.group.number], ready.isStill(some, known(some.group, target)) {
                changes.append(ready.change)
            } else {
                changes.append(try kept(some, in: target, at: now))
            }
        }
        if let target, changes.contains(where: { !$0.isEmpty }) {
            try target.write(changes, leaving: leaving.flatMap { $0.chunks.map { (file.name, $0.id) } })
        }
        for (some, change) in zip(leaving, changes) {
            memory.replace(some.chunks, by: some.rest.map(\.reference), of: some.group, rollups: change)
        }
        try remove()
        if let target { try target.forgetLeaving(file.name) }
    }

    /// What goes of one group.
    struct Leaving {
        let group: SourceGroup
        /// Go as they are.
        let chunks: [ChunkReference]
        /// Whose readings go.
        let series: Set<UInt32>
        /// What takes the place of the chunks, without these series.
        var rest: [ChunkFile.NewChunk] = []
    }

    /// Rollups of readings that are about to go, and what they were made of.
    ///
    /// They take long to make, so they are made before the turnstile, and again under it where something changed.
    struct ReadyRollups {
        let leaving: Leaving
        let known: [RollupReference]
        let change: RollupChange

        func isStill(_ other: Leaving, _ known: [RollupReference]) -> Bool {
            leaving.series == other.series && leaving.chunks.elementsEqual(other.chunks, by: ===)
                && self.known.elementsEqual(known, by: ===)
        }
    }

    func readyRollups(
        _ leaving: [Leaving], of file: ChunkFile, at now: Timestamp
    ) async throws(StoreError) -> [UInt32: ReadyRollups] {
        guard leaving.contains(where: { isKept($0) }) else { return [:] }
        let target = try await rollupFile(for: file)
        var result: [UInt32: ReadyRollups] = [:]
        for some in leaving where isKept(some) {
            let known = known(some.group, target)
            do throws(StoreError) {
                let change = try kept(some, in: target, at: now)
                result[some.group.number] = ReadyRollups(leaving: some, known: known, change: change)
            } catch  where error.code == .contention {
                // A chunk was made anew meanwhile: its turn comes under the turnstile.
            }
            await Task.yield()
        }
        return result
    }

    private func rollupFile(for file: ChunkFile) async throws(StoreError) -> RollupFile {
        await maintenance.enter()
        defer { maintenance.leave() }
        return try rollups.file(for: file.stretch.start)
    }

    private func known(_ group: SourceGroup, _ file: RollupFile) -> [RollupReference] {
        memory.rollups(group).filter { $0.file === file }
    }

    private func isKept(_ leaving: Leaving) -> Bool {
        catalogue.entries(Array(leaving.series)).contains { !store.retention(of: $0).rollups.isEmpty }
    }

    /// The rollups of readings that go, made one with the newest of the file while that is small.
    func kept(_ leaving: Leaving, in file: RollupFile, at now: Timestamp) throws(StoreError) -> RollupChange {
        var columns: [RollupResolution: [UInt32: [RollupBucket]]] = [:]
        for entry in catalogue.entries(Array(leaving.series)) {
            let retention = store.retention(of: entry)
            if retention.rollups.isEmpty { continue }
            let samples = try SeriesReader(entry: entry, chunks: leaving.chunks, blocks: []).samples(
                from: .min, to: .max)
            let numbers = NumberColumn(samples)
            for resolution in RollupResolution.allCases {
                guard let bound = retention.rollups[resolution] else { continue }
                let buckets = Rollup.kept(numbers, resolution).filter {
                    retention.isHeld || !Self.isPast($0, bound, now)
                }
                if !buckets.isEmpty { columns[resolution, default: [:]][entry.number] = buckets }
            }
        }
        var change = RollupChange()
        let known = known(leaving.group, file)
        for (resolution, fresh) in columns.sorted(by: { $0.key < $1.key }) {
            var all = fresh
            let newest = known.filter { $0.resolution == resolution }.max { $0.id < $1.id }
            if let newest, newest.bucketCount < RollupStore.smallMax {
                all = Self.merged(try newest.all(), fresh, resolution)
                change.removed.append(newest)
            }
            if let new = rollups.new(all, resolution, group: leaving.group.number, in: file) {
                change.added.append(new)
            }
        }
        return change
    }

    private static func merged(
        _ old: [UInt32: [RollupBucket]], _ fresh: [UInt32: [RollupBucket]], _ resolution: RollupResolution
    ) -> [UInt32: [RollupBucket]] {
        old.merging(fresh) { old, fresh in
            var all = Dictionary(
                old.map { (resolution.bucket(of: $0.firstTime), $0) }, uniquingKeysWith: { $0.joined($1) })
            for bucket in fresh {
                let number = resolution.bucket(of: bucket.firstTime)
                all[number] = all[number]?.joined(bucket) ?? bucket
            }
            return all.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Whether a bucket is past its time; rollups go by whole days, so that what is left of a day is complete.
    private static func isPast(_ bucket: RollupBucket, _ bound: RetentionBound, _ now: Timestamp) -> Bool {
        guard case .age(let span) = bound else { return false }
        let day = RollupResolution.day
        return now.microseconds - (day.bucket(of: bucket.firstTime) + 1) * day.length > span.microseconds
    }

    /// Removes rollups that are past their time.
    ///
    /// Call it under the turnstile.
    func expireRollups(at now: Timestamp) throws(StoreError) {
        guard store.isDecided else { return }
        for file in rollups.files {
            var changes: [(SourceGroup, RollupChange)] = []
            for reference in try file.references() {
                guard let group = catalogue.group(reference.group),
                    let known = memory.rollups(group).first(where: { $0.file === file && $0.id == reference.id })
                else { continue }
                if let change = try expired(known, at: now) { changes.append((group, change)) }
            }
            try replace(changes, in: file)
        }
    }

    private func expired(_ reference: RollupReference, at now: Timestamp) throws(StoreError) -> RollupChange? {
        var bounds: [UInt32: RetentionBound] = [:]
        for entry in catalogue.entries(reference.series) {
            let retention = store.retention(of: entry)
            // What is not to be kept any more goes with the next turn.
            bounds[entry.number] =
                retention.isHeld ? .forever : retention.rollups[reference.resolution] ?? .age(Span(microseconds: 0))
        }
        let oldest = RollupBucket(known: WindowAggregate(count: 1, sum: 0, firstTime: reference.firstTime))
        guard bounds.values.contains(where: { Self.isPast(oldest, $0, now) }) else { return nil }
        var all = try reference.all()
        var isChanged = false
        for (number, buckets) in all {
            let rest = buckets.filter { !Self.isPast($0, bounds[number] ?? .forever, now) }
            if rest.count < buckets.count { isChanged = true }
            all[number] = rest
        }
        guard isChanged else { return nil }
        var change = RollupChange(removed: [reference])
        if let new = rollups.new(all, reference.resolution, group: reference.group, in: reference.file) {
            change.added.append(new)
        }
        return change
    }

    private func replace(_ changes: [(SourceGroup, RollupChange)], in file: RollupFile) throws(StoreError) {
        if changes.isEmpty { return }
        try file.write(changes.map(\.1))
        for (group, change) in changes { memory.replace([], by: [], of: group, rollups: change) }
        try file.giveBack()
    }

    /// Finishes what a crash or a full disk interrupted: chunks go whose rollups are kept already.
    ///
    /// A file that is not open may still be on the disk, unless this is the start.
    static func finishLeaving(
        _ rollups: RollupStore, _ store: ChunkStore, isStart: Bool = false
    ) throws(StoreError) {
        for file in rollups.files {
            for (name, chunks) in try file.leaving() {
                let source = store.chunkFiles.first { $0.name == name }
                if let source { try source.write(removing: chunks, adding: [], sealed: nil) }
                if source != nil || isStart { try file.forgetLeaving(name) }
            }
        }
    }
}

extension RollupBounds {
    subscript(_ resolution: RollupResolution) -> RetentionBound? {
        switch resolution {
        case .minute: minute
        case .hour: hour
        case .day: day
        }
    }
}
