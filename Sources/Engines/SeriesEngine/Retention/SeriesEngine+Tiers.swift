package import VigilModel
package import VigilPorts

extension SeriesEngine: SeriesTiering {
    package func keep(_ decide: @escaping RetentionDecision) { store.keep(decide) }

    package func applyRetention(at now: Timestamp, isDryRun: Bool) async throws(StoreError) -> [TierChange] {
        try log.check()
        return try await counters.count(.retention) { () async throws(StoreError) in
            try await applyAlone(at: now, isDryRun: isDryRun)
        }
    }

    private func applyAlone(at now: Timestamp, isDryRun: Bool) async throws(StoreError) -> [TierChange] {
        // What is only in the log belongs to no file yet; and what the log says goes must not be read from it again.
        if !isDryRun || memory.hasOpenRows { try await seal() }
        var changes: [TierChange] = []
        if !isDryRun {
            // All first, so that a rollup of what goes sees all that lies in its place.
            for file in store.chunkFiles {
                await maintenance.enter()
                defer { maintenance.leave() }
                try Self.finishLeaving(rollups, store)
                try moveStrangers(of: file)
            }
        }
        // File by file, so that sealing and removals come in between.
        for file in store.chunkFiles {
            let ready = isDryRun ? [:] : try await readyRollups(of: file, at: now)
            await maintenance.enter()
            defer { maintenance.leave() }
            if isDryRun {
                changes += try self.changes(of: file, at: now)
            } else if store.file(at: file.place) === file {
                changes += try settle(file, at: now, ready)
            }
        }
        changes += try await applyToArchive(at: now, isDryRun: isDryRun)
        if !isDryRun {
            await maintenance.enter()
            defer { maintenance.leave() }
            try expireRollups(at: now)
        }
        return changes
    }

    // MARK: - What is to be done

    private func chunks(of file: ChunkFile) throws(StoreError) -> [(SourceGroup, [ChunkReference])] {
        var groups: Set<UInt32> = []
        for reference in try file.references() { groups.insert(reference.group) }
        return groups.sorted().compactMap { number in
            guard let group = catalogue.group(number) else { return nil }
            let chunks = memory.frozen(group).chunks.filter { $0.file === file }
            return chunks.isEmpty ? nil : (group, chunks)
        }
    }

    private func tier(of entry: SeriesEntry, in file: ChunkFile, at now: Timestamp) -> (RetentionBounds.Tier, Bool) {
        let retention = store.retention(of: entry)
        let newest = Timestamp(microseconds: store.placement.end(of: file.place))
        return (retention.bounds.tier(atAge: now - newest), retention.isHeld)
    }

    /// What would become of the readings of a file.
    private func changes(of file: ChunkFile, at now: Timestamp) throws(StoreError) -> [TierChange] {
        // What is held stays beside what goes, so the two are told apart.
        var (found, held): ([RetentionBounds.Tier: TierChange], TierChange?) = ([:], nil)
        for (group, chunks) in try chunks(of: file) {
            for chunk in chunks {
                for column in chunk.columns {
                    guard let entry = catalogue.entries([column.series]).first else { continue }
                    let (tier, isHeld) = tier(of: entry, in: file, at: now)
                    guard tier != file.tier else { continue }
                    let stays = isHeld && tier == .expired
                    var change = (stays ? held : found[tier]) ?? self.change(file, to: tier)
                    change.samples[group.tenant, default: 0] += column.count
                    change.isHeld = stays
                    if stays { held = change } else { found[tier] = change }
                }
            }
        }
        return found.values.sorted { $0.to.rawValue < $1.to.rawValue } + (held.map { [$0] } ?? [])
    }

    private func change(_ file: ChunkFile, to tier: RetentionBounds.Tier) -> TierChange {
        TierChange(
            name: file.name, from: file.tier, to: tier,
            range: TimeRange(
                Timestamp(microseconds: store.placement.start(of: file.place)),
                Timestamp(microseconds: store.placement.end(of: file.place))), samples: [:])
    }

    private func samples(_ chunks: [(SourceGroup, [ChunkReference])]) -> [TenantID: Int] {
        var result: [TenantID: Int] = [:]
        for (group, chunks) in chunks {
            result[group.tenant, default: 0] += chunks.reduce(0) { $0 + $1.sampleCount }
        }
        return result
    }

    /// The rollups of what will go of a file, made while others may still write to it.
    private func readyRollups(
        of file: ChunkFile, at now: Timestamp
    ) async throws(StoreError) -> [UInt32: ReadyRollups] {
        let newest = Timestamp(microseconds: store.placement.end(of: file.place))
        let tier = file.place.bounds.tier(atAge: now - newest)
        guard tier != file.tier, tier == .expired || tier == .archive else { return [:] }
        let leaving = try chunks(of: file).map { group, chunks in
            Leaving(group: group, chunks: chunks, series: Set(chunks.flatMap { $0.columns.map(\.series) }))
        }
        return try await readyRollups(leaving, of: file, at: now)
    }

    // MARK: - Doing it

    /// Moves series that are kept otherwise than their file.
    private func moveStrangers(of file: ChunkFile) throws(StoreError) {
        var isTouched = false
        var changes = ChunkChanges(file, memory)
        for (group, chunks) in try chunks(of: file) {
            for chunk in chunks {
                var strangers: [UInt32: RetentionBounds] = [:]
                for column in chunk.columns {
                    guard let entry = catalogue.entries([column.series]).first else { continue }
                    let bounds = store.retention(of: entry).bounds
                    if bounds != file.place.bounds { strangers[column.series] = bounds }
                }
                if strangers.isEmpty { continue }
                try move(strangers, of: chunk, group, &changes)
                isTouched = true
            }
        }
        try changes.flush()
        if isTouched { try file.giveBack() }
    }

    /// Moves series of one chunk into files of their own bounds.
    ///
    /// The generation stays, because it says which of two values of one time came later. The copies are written first: a
    /// crash in between leaves the same readings twice, and the next turn finds the copy and only removes.
    private func move(
        _ strangers: [UInt32: RetentionBounds], of chunk: ChunkReference, _ group: SourceGroup,
        _ changes: inout ChunkChanges
    ) throws(StoreError) {
        let all = try chunk.file.allSamples(of: chunk.id)
        var parts: [ChunkPlace: [(UInt32, RawSeries)]] = [:]
        for (number, bounds) in strangers.sorted(by: { $0.key < $1.key }) {
            guard let series = all[number], !series.samples.isEmpty else { continue }
            for (place, part) in store.parted(series, bounds) { parts[place, default: []].append((number, part)) }
        }
        var added: [ChunkFile.NewChunk] = []
        for (place, columns) in parts {
            let target = try store.file(place)
            let known = columns.map { number, series in
                ChunkRewriting.column(number, series) { last in
                    chunk.column(number).map { $0.lastTime == last ? $0.arrival : last } ?? last
                }
            }
            let isThere = memory.frozen(group).chunks.contains { other in
                other.file === target && other.generation == chunk.generation
                    && other.columns.map { [Int64($0.series), Int64($0.count), $0.firstTime] }
                        == known.map { [Int64($0.series), Int64($0.count), $0.firstTime] }
            }
            if isThere { continue }
            let new = ChunkFile.NewChunk(
                columns.map { ($0.0, $0.1) }, known: known, file: target, id: store.nextIdentifier(),
                group: group.number, generation: chunk.generation)
            added.append(new)
        }
        let rest = try ChunkRewriting.without(
            chunk, Set(strangers.keys), from: .min, to: .max, identifier: store.nextIdentifier())
        try changes.replace([chunk], by: added + (rest.map { [$0] } ?? []), of: group)
    }

    /// Moves or removes a file whose readings are all kept in its way.
    private func settle(
        _ file: ChunkFile, at now: Timestamp, _ ready: [UInt32: ReadyRollups]
    ) throws(StoreError) -> [TierChange] {
        let newest = Timestamp(microseconds: store.placement.end(of: file.place))
        let tier = file.place.bounds.tier(atAge: now - newest)
        guard tier != file.tier else { return [] }
        let chunks = try chunks(of: file)
        var change = change(file, to: tier)
        change.samples = samples(chunks)
        switch tier {
        case .expired:
            let held = chunks.filter { group, _ in
                catalogue.series(of: group).contains { store.retention(of: $0).isHeld }
            }
            if held.isEmpty {
                try drop(file, chunks, at: now, ready)
            } else {
                var stays = change
                stays.isHeld = true
                change.samples = try removeWhatIsNotHeld(file, chunks, at: now)
                stays.samples.merge(change.samples) { $0 - $1 }
                return [change, stays].filter { $0.samples.values.contains { $0 > 0 } }
            }
        case .hot, .warm:
            try move(file, chunks, to: tier)
        case .archive:
            try TierFolders.write(file, to: tiers.archive, as: try tiers.archiveName(file.place))
            try drop(file, chunks, at: now, ready)
        }
        return [change]
    }

    /// Takes a file away with its chunks.
    private func drop(
        _ file: ChunkFile, _ chunks: [(SourceGroup, [ChunkReference])], at now: Timestamp,
        _ ready: [UInt32: ReadyRollups]
    ) throws(StoreError) {
        let leaving = chunks.map { group, chunks in
            Leaving(group: group, chunks: chunks, series: Set(chunks.flatMap { $0.columns.map(\.series) }))
        }
        try letGo(leaving, of: file, at: now, ready) { () throws(StoreError) in
            memory.markEmpty(chunks.flatMap { catalogue.series(of: $0.0) })
            store.set(nil, at: file.place)
            file.retire()
            try TierFolders.remove(file.name, from: folder(of: file))
        }
    }

    private func removeWhatIsNotHeld(
        _ file: ChunkFile, _ chunks: [(SourceGroup, [ChunkReference])], at now: Timestamp
    ) throws(StoreError) -> [TenantID: Int] {
        var gone: [TenantID: Int] = [:]
        var leaving: [Leaving] = []
        for (group, chunks) in chunks {
            let numbers = Set(catalogue.series(of: group).filter { !store.retention(of: $0).isHeld }.map(\.number))
            let touched = chunks.filter { $0.columns.contains { numbers.contains($0.series) } }
            if touched.isEmpty { continue }
            var some = Leaving(group: group, chunks: touched, series: numbers)
            for chunk in touched {
                gone[group.tenant, default: 0] += chunk.columns.reduce(0) {
                    $0 + (numbers.contains($1.series) ? $1.count : 0)
                }
                let rest = try ChunkRewriting.without(
                    chunk, numbers, from: .min, to: .max, identifier: store.nextIdentifier())
                if let rest { some.rest.append(rest) }
            }
            leaving.append(some)
        }
        if leaving.isEmpty { return [:] }
        try letGo(leaving, of: file, at: now) { () throws(StoreError) in
            try file.write(
                removing: leaving.flatMap { $0.chunks.map(\.id) }, adding: leaving.flatMap(\.rest), sealed: nil)
            memory.markEmpty(leaving.flatMap { catalogue.series(of: $0.group) })
        }
        try file.giveBack()
        return gone
    }

    private func move(
        _ file: ChunkFile, _ chunks: [(SourceGroup, [ChunkReference])], to tier: RetentionBounds.Tier
    ) throws(StoreError) {
        let target = tier == .warm ? tiers.warm : try DiskFileSystem(folder: folder)
        try TierFolders.write(file, to: target, as: file.name)
        let moved = try ChunkFile(
            folder: target.folder, name: file.name, place: file.place, store.placement, tier: tier,
            cacheBytes: configuration.fileCacheBytes)
        store.set(moved, at: file.place)
        for (group, chunks) in chunks {
            let there = chunks.map {
                ChunkReference(
                    file: moved, id: $0.id, group: $0.group, generation: $0.generation, columns: $0.columns,
                    rollups: $0.rollups)
            }
            memory.replace(chunks, by: there, of: group)
        }
        file.retire()
        try TierFolders.remove(file.name, from: folder(of: file))
    }

    private func folder(of file: ChunkFile) -> any FileSystem {
        switch file.tier {
        case .hot, .expired: files
        case .warm: tiers.warm
        case .archive: tiers.archive
        }
    }
}

extension ChunkFile {
    /// All samples of a chunk that is known to be there.
    func allSamples(of id: Int64) throws(StoreError) -> [UInt32: RawSeries] {
        guard let all = try samples(of: id) else {
            throw StoreError(.internalFault, "a chunk is gone")
        }
        return all
    }
}

extension ChunkStore {
    func file(at place: ChunkPlace) -> ChunkFile? { chunkFiles.first { $0.place == place } }
}
