package import VigilModel
package import VigilPorts

extension SeriesEngine {
    /// What lies in the archive is read beside the others, without questions seeing it meanwhile.
    package func removal(
        _ selection: SeriesSelection, in scope: AccessScope
    ) async throws(StoreError) -> SeriesRemoval {
        let tenant = try tenant(of: scope)
        try log.checkOpen()
        let matchers = try SeriesMatchers(selection.matchers, devices: selection.devices)
        let found = catalogue.find(matchers, tenant: tenant, scope: scope)
        if found.isEmpty || selection.range.isEmpty { return SeriesRemoval() }
        let (start, end) = (selection.range.start.microseconds, selection.range.end.microseconds)
        // While readings move from one tier to the next they might be counted twice.
        await maintenance.enter()
        defer { maintenance.leave() }
        let (files, archived) = try shutArchive(from: start, to: end)
        defer { for file in files { file.close() } }
        var removal = SeriesRemoval()
        for (group, entries) in found {
            try foretell(entries, of: group, archived[group.number] ?? [], from: start, to: end, &removal)
        }
        return removal
    }

    /// The chunks of the archive's parts that questions do not see, by group.
    private func shutArchive(
        from start: Int64, to end: Int64
    ) throws(StoreError) -> ([ChunkFile], [UInt32: [ChunkReference]]) {
        var files: [ChunkFile] = []
        do throws(StoreError) {
            var chunks: [UInt32: [ChunkReference]] = [:]
            for name in try tiers.archiveNames() where store.attached(name) == nil {
                guard let place = FileNames.place(name), store.placement.start(of: place) < end,
                    store.placement.end(of: place) > start
                else { continue }
                let file = try tiers.open(name, cacheBytes: configuration.fileCacheBytes)
                files.append(file)
                for chunk in try file.references() { chunks[chunk.group, default: []].append(chunk) }
            }
            return (files, chunks)
        } catch {
            for file in files { file.close() }
            throw error
        }
    }

    private func foretell(
        _ entries: [SeriesEntry], of group: SourceGroup, _ archived: [ChunkReference], from start: Int64,
        to end: Int64, _ removal: inout SeriesRemoval
    ) throws(StoreError) {
        let seen = memory.snapshot(group)
        let chunks = (seen.chunks + archived).sorted { ($0.generation, $0.id) < ($1.generation, $1.id) }
        let all = SeriesMemory.Snapshot(chunks: chunks, blocks: seen.blocks, newest: [])
        var counts: [UInt32: Int] = [:]
        let source = ChunkSource()
        for stretch in TimeStretch.all(of: all, from: start, to: end) {
            for entry in entries {
                let count = try stretch.count(of: entry, from: start, to: end, source)
                if count > 0 { counts[entry.number, default: 0] += count }
            }
            source.removeAll()
        }
        let kept = memory.rollups(group, of: entries, from: start, to: end)
        if !kept.isEmpty {
            var rollups = RollupRemoval(start: start, end: end, chunks: chunks, archived: Self.archived(chunks))
            for reference in kept { rollups.take(reference, try reference.all()) }
            for entry in entries {
                if let count = try rollups.remove(entry) { counts[entry.number, default: 0] += count }
            }
        }
        for entry in entries {
            guard let count = counts[entry.number] else { continue }
            removal.series.append(entry.identity)
            removal.samples += count
        }
    }
}
