import Synchronization
import VigilModel
import VigilPorts

extension SeriesEngine {
    /// Makes everything that is only in the log and in memory part of the files, and cuts the log.
    ///
    /// Each file takes its chunks and the position they reach to in one transaction, so a crash in between repeats
    /// nothing and loses nothing: the log is removed last.
    func seal() async throws(StoreError) {
        await maintenance.enter()
        defer { maintenance.leave() }
        try await counters.count(.seal) { () async throws(StoreError) in try await sealAlone() }
    }

    private func sealAlone() async throws(StoreError) {
        let (log, memory, created) = (log, memory, clock.now().microseconds)
        let rotated: Result<(number: UInt64, position: Int64), StoreError> = await withUnsafeContinuation { waiting in
            do throws(StoreError) {
                try log.enqueueBarrier { [catalogue] in
                    let result = log.rotate(created: created)
                    if case .success = result { memory.freeze(catalogue.allGroups) }
                    waiting.resume(returning: result)
                }
            } catch {
                waiting.resume(returning: .failure(error))
            }
        }
        let (number, position) = try rotated.get()
        let all = catalogue.allGroups
        try writeChunks(of: all, sealed: position)
        let counted = catalogue.counted
        try cataloguePair.save(catalogue.definitions(after: savedDefinitions.withLock { $0 }), sealed: position)
        savedDefinitions.withLock { $0 = counted }
        memory.thaw(all)
        for name in try files.names() {
            if let old = FileNames.logNumber(name), old < number { try files.remove(name) }
        }
        try files.syncFolder()
    }

    private func writeChunks(of groups: [SourceGroup], sealed: Int64) throws(StoreError) {
        var changes: [ChunkPlace: [(SourceGroup, GroupSealer.Change)]] = [:]
        // Few sources: their chunks are made one with what comes as long as that is little work in all.
        let mergingMax = configuration.mergingSamplesMax / max(1, groups.count { !memory.frozen($0).0.isEmpty })
        for group in groups {
            let (frozen, chunks) = memory.frozen(group)
            if frozen.isEmpty { continue }
            let sealer = GroupSealer(
                group: group, series: catalogue.series(of: group), frozen: frozen, chunks: chunks, store: store,
                mergingSamplesMax: mergingMax)
            for (place, change) in try sealer.changes() { changes[place, default: []].append((group, change)) }
        }
        // The position of a file speaks for all readings of its time. While the files of several classes are written
        // that would be too early for the others: after a crash their readings come from the log, those of this one again.
        let sealed = Set(changes.keys.map(\.bounds)).count > 1 ? nil : sealed
        for (place, all) in changes {
            let file = try store.file(place)
            try file.write(
                removing: all.flatMap { $0.1.removed.map(\.id) }, adding: all.flatMap(\.1.added), sealed: sealed)
            counters.wrote(all.reduce(0) { $0 + $1.1.added.reduce(0) { $0 + $1.data.count } }, for: .seal)
            for (group, change) in all {
                memory.replace(change.removed, by: change.added.map(\.reference), of: group)
            }
        }
    }

    /// Starts sealing in the background when the log or the open rows have grown past their limits.
    func sealWhenDue() {
        guard
            log.writtenBytes > configuration.logBytesMax || memory.totals.bytes > configuration.memoryBytesMax
        else { return }
        guard sealing.begin() else { return }
        Task {
            // What could not be sealed stays in the log and in memory; the next append tries again.
            try? await seal()
            sealing.end()
            await compactInBackground()
        }
    }
}
