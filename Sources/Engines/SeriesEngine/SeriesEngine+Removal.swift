package import VigilModel
package import VigilPorts

extension SeriesEngine {
    package func delete(_ selection: SeriesSelection, in scope: AccessScope) async throws(StoreError) -> Int {
        let tenant = try tenant(of: scope)
        try log.check()
        let matchers = try SeriesMatchers(selection.matchers, devices: selection.devices)
        let found = catalogue.find(matchers, tenant: tenant, scope: scope)
        let entries = found.flatMap(\.1)
        if entries.isEmpty || selection.range.isEmpty { return 0 }
        let (start, end) = (selection.range.start.microseconds, selection.range.end.microseconds)
        await maintenance.enter()
        defer { maintenance.leave() }
        return try await counters.count(.delete) { () async throws(StoreError) in
            try await withArchive(from: start, to: end) { () async throws(StoreError) in
                try await remove(found, from: start, to: end)
            }
        }
    }

    private func remove(
        _ found: [(SourceGroup, [SeriesEntry])], from start: Int64, to end: Int64
    ) async throws(StoreError) -> Int {
        let entries = found.flatMap(\.1)
        // Counted as a question counts: a value that was overwritten is not a sample any more.
        var count = 0
        for (group, some) in found {
            let source = ChunkSource()
            for stretch in TimeStretch.all(of: memory.snapshot(group), from: start, to: end) {
                for entry in some { count += try stretch.count(of: entry, from: start, to: end, source) }
                source.removeAll()
            }
        }
        let isKept = found.contains { group, some in
            memory.rollups(group).contains { rollup in
                rollup.lastTime >= start && rollup.firstTime < end
                    && some.contains { rollup.series.contains($0.number) }
            }
        }
        if count == 0, !isKept { return 0 }
        let record = RemovalRecord.write(
            series: entries.map(\.number),
            range: TimeRange(Timestamp(microseconds: start), Timestamp(microseconds: end)))
        _ = try await commit(.delete, record)
        // Known before they go: what lies in the archive was counted above, not again with what is kept of it.
        let archived = Self.archived(entries, memory)
        try Self.removeFromChunks(entries, from: start, to: end, store, memory, unlessSealed: .max)
        count += try Self.removeFromRollups(entries, from: start, to: end, rollups, memory, archived: archived)
        memory.markEmpty(entries)
        return count
    }

    package func deleteTenant(in scope: AccessScope) async throws(StoreError) {
        let tenant = try tenant(of: scope)
        guard scope.visibility == .all else {
            throw StoreError(.invalid, "a scope that does not see all of a tenant cannot remove it")
        }
        try log.check()
        try await removeAll(of: tenant)
        // What was only in the log lies there until the log is cut.
        try await seal()
    }

    private func removeAll(of tenant: TenantID) async throws(StoreError) {
        await maintenance.enter()
        defer { maintenance.leave() }
        try await counters.count(.delete) { () async throws(StoreError) in
            try await withArchive(from: .min, to: .max) { () async throws(StoreError) in
                _ = try await commit(.deleteTenant, RemovalRecord.write(tenant: tenant))
                let entries = catalogue.groups(of: tenant).flatMap { catalogue.series(of: $0) }
                try Self.removeFromChunks(entries, from: .min, to: .max, store, memory, unlessSealed: .max)
                try Self.removeFromRollups(entries, from: .min, to: .max, rollups, memory)
                memory.markEmpty(entries)
            }
        }
    }

    /// Makes the chunks of these series anew without what was removed, and gives the space back.
    ///
    /// Files that are sealed past `position` were made after the removal and keep what they hold.
    static func removeFromChunks(
        _ entries: [SeriesEntry], from start: Int64, to end: Int64, _ store: ChunkStore, _ memory: SeriesMemory,
        unlessSealed position: Int64
    ) throws(StoreError) {
        var changes: [ObjectIdentifier: ChunkChanges] = [:]
        for (_, some) in Dictionary(grouping: entries, by: { $0.group.number }) {
            guard let group = some.first?.group else { continue }
            let numbers = Set(some.map(\.number))
            for chunk in memory.frozen(group).chunks where chunk.file.sealed < position {
                let isHit = chunk.columns.contains {
                    numbers.contains($0.series) && $0.firstTime < end && $0.lastTime >= start
                }
                guard isHit else { continue }
                let rest = try ChunkRewriting.without(
                    chunk, numbers, from: start, to: end, identifier: store.nextIdentifier())
                let key = ObjectIdentifier(chunk.file)
                try changes[key, default: ChunkChanges(chunk.file, memory)].replace(
                    [chunk], by: rest.map { [$0] } ?? [], of: group)
            }
        }
        for key in changes.keys { try changes[key]?.flush() }
        for change in changes.values { try change.file.giveBack() }
    }
}
