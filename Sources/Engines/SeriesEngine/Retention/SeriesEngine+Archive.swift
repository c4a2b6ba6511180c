import VigilModel
package import VigilPorts

extension SeriesEngine {
    package func archived() async throws(StoreError) -> [ArchivedReadings] {
        try log.checkOpen()
        var result: [ArchivedReadings] = []
        for name in try tiers.archiveNames() {
            guard let place = FileNames.place(name) else { continue }
            result.append(
                ArchivedReadings(
                    name: name, range: range(of: place), bytes: tiers.archive.size(of: name),
                    isAttached: store.attached(name) != nil))
        }
        return result.sorted { ($0.range.start, $0.name) < ($1.range.start, $1.name) }
    }

    package func attach(_ name: String) async throws(StoreError) {
        try log.check()
        await maintenance.enter()
        defer { maintenance.leave() }
        guard try tiers.archiveNames().contains(name) else { throw Self.notArchived }
        if store.attached(name) != nil { return }
        try open(name)
        try tiers.mark(name, true)
    }

    package func detach(_ name: String) async throws(StoreError) {
        try log.check()
        await maintenance.enter()
        defer { maintenance.leave() }
        guard try tiers.archiveNames().contains(name) else { throw Self.notArchived }
        guard store.attached(name) != nil else { return }
        try tiers.mark(name, false)
        try shut(name)
    }

    private static let notArchived = StoreError(.invalid, "there is no such file in the archive")

    private func range(of place: ChunkPlace) -> TimeRange {
        TimeRange(
            Timestamp(microseconds: store.placement.start(of: place)),
            Timestamp(microseconds: store.placement.end(of: place)))
    }

    /// Lets questions see a file of the archive.
    private func open(_ name: String) throws(StoreError) {
        let file = try tiers.open(name, cacheBytes: configuration.fileCacheBytes)
        let found = try file.references()
        store.attach(file, as: name)
        store.raiseIdentifiers(above: found)
        for (number, chunks) in Dictionary(grouping: found, by: \.group) {
            guard let group = catalogue.group(number) else { continue }
            memory.replace([], by: chunks, of: group)
            memory.revive(group)
        }
    }

    private func shut(_ name: String) throws(StoreError) {
        guard let file = store.attached(name) else { return }
        for (number, _) in Dictionary(grouping: try file.references(), by: \.group) {
            guard let group = catalogue.group(number) else { continue }
            memory.replace(memory.frozen(group).chunks.filter { $0.file === file }, by: [], of: group)
            memory.markEmpty(catalogue.series(of: group))
        }
        store.attach(nil, as: name)
        file.retire()
    }

    /// Runs `body` while every file of the archive with readings of a range is open, so that removals reach them too.
    ///
    /// They are marked as attached meanwhile, so that after a crash the removal finds them in the log's second reading. Call
    /// it under the turnstile.
    func withArchive<Result>(
        from start: Int64, to end: Int64, _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        var opened: [String] = []
        for name in try tiers.archiveNames() where store.attached(name) == nil {
            guard let place = FileNames.place(name), store.placement.start(of: place) < end,
                store.placement.end(of: place) > start
            else { continue }
            try open(name)
            try tiers.mark(name, true)
            opened.append(name)
        }
        let result: Swift.Result<Result, StoreError>
        do throws(StoreError) {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        for name in opened {
            try tiers.mark(name, false)
            try shut(name)
        }
        return try result.get()
    }

    /// Removes files of the archive of which nothing is to be kept.
    ///
    /// What lies there is as it was when it was archived; how long it stays is asked for each series again.
    func applyToArchive(at now: Timestamp, isDryRun: Bool) async throws(StoreError) -> [TierChange] {
        var changes: [TierChange] = []
        for name in try tiers.archiveNames() {
            guard let place = FileNames.place(name) else { continue }
            let range = range(of: place)
            guard place.bounds.tier(atAge: now - range.end) == .expired else { continue }
            await maintenance.enter()
            defer { maintenance.leave() }
            let isOpen = store.attached(name) != nil
            if !isOpen { try open(name) }
            let change = try expiry(of: name, range, at: now)
            if change.isHeld || change.samples.isEmpty || isDryRun {
                if !isOpen { try shut(name) }
                if change.samples.isEmpty { continue }
            } else {
                try shut(name)
                try tiers.archive.remove(name + FileNames.attached)
                try TierFolders.remove(name, from: tiers.archive)
            }
            changes.append(change)
        }
        return changes
    }

    /// What would go of a file of the archive; nothing, when some series in it is kept longer now.
    private func expiry(of name: String, _ range: TimeRange, at now: Timestamp) throws(StoreError) -> TierChange {
        var change = TierChange(name: name, from: .archive, to: .expired, range: range, samples: [:])
        for reference in try store.attached(name)?.references() ?? [] {
            guard let group = catalogue.group(reference.group) else { continue }
            for entry in catalogue.entries(reference.columns.map(\.series)) {
                let retention = store.retention(of: entry)
                if retention.isHeld { change.isHeld = true }
                if retention.bounds.tier(atAge: now - range.end) != .expired {
                    change.samples = [:]
                    return change
                }
            }
            change.samples[group.tenant, default: 0] += reference.sampleCount
        }
        return change
    }
}

extension ChunkStore {
    /// Gives out no identifier that a file brings with it.
    func raiseIdentifiers(above references: [ChunkReference]) {
        raise(
            identifier: references.map(\.id).max() ?? 0, generation: references.map(\.generation).max() ?? 0)
    }
}

extension SeriesMemory {
    /// Notes that series have samples again.
    func revive(_ group: SourceGroup) {
        locked {
            for entry in group.series
            where entry.isEmpty && group.chunks.contains(where: { $0.column(entry.number) != nil }) {
                entry.isEmpty = false
                emptySeriesCount -= 1
            }
        }
    }
}
