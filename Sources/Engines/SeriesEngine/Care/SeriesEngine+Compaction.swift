import Synchronization
import VigilModel
import VigilPorts

extension SeriesEngine {
    /// Makes small and overlapping chunks into full ones, as long as `samplesMax` is not reached.
    ///
    /// Each step is one transaction of a file: after a crash either the old chunks are there or the new ones. Between two
    /// steps the turnstile is open, so that sealing and removals come in between. What is already compact is not read.
    /// - Returns: How many samples were written again.
    @discardableResult
    func compactChunks(_ care: CompactionPlan.Care, samplesMax: Int = .max) async throws(StoreError) -> Int {
        var written = 0
        for file in store.chunkFiles {
            let care = isOver(file) ? .thorough : care
            let before = written
            var groups = memory.groups(withSeveralChunksIn: file, of: catalogue.allGroups)[...]
            while !groups.isEmpty, written < samplesMax, !isEnding {
                await maintenance.enter()
                defer { maintenance.leave() }
                guard !isEnding, store.file(at: file.place) === file else { break }
                written += try step(&groups, in: file, care)
            }
            // What was written anew left holes, which the next chunks fill while the file still grows.
            if written > before, !isEnding {
                let free = try file.freeShare()
                if care == .thorough || free > Self.freeShareMax { try await giveBack(file) }
            }
            if written >= samplesMax || isEnding { break }
        }
        return written
    }

    private static var freeShareMax: Double { 0.2 }

    private func giveBack(_ file: ChunkFile) async throws(StoreError) {
        await maintenance.enter()
        defer { maintenance.leave() }
        guard !isEnding, store.file(at: file.place) === file else { return }
        try file.giveBack()
    }

    /// Whether readings of the file come late only.
    private func isOver(_ file: ChunkFile) -> Bool {
        clock.now().microseconds - file.stretch.end > 86_400_000_000
    }

    /// Compacts the next groups, up to what one step may take.
    private func step(
        _ groups: inout ArraySlice<SourceGroup>, in file: ChunkFile, _ care: CompactionPlan.Care
    ) throws(StoreError) -> Int {
        var changes = ChunkChanges(file, memory)
        var samples = 0
        while samples < configuration.compactionStepSamplesMax, let group = groups.popFirst() {
            for plan in CompactionPlan.all(of: group, memory.frozen(group).chunks, in: file, care) {
                let isLast = care == .thorough
                let new = try ChunkMerger(group: group, chunks: plan.chunks, store: store, isLast: isLast).merged()
                try changes.replace(plan.chunks, by: new, of: group)
                samples += plan.sampleCount
            }
        }
        try changes.flush()
        counters.wrote(changes.writtenBytes, for: .compact)
        return samples
    }

    /// Compacts in the background what sealing left in small pieces; a bounded part of it, then the next seal goes on.
    func compactInBackground() async {
        guard compacting.begin() else { return }
        defer { compacting.end() }
        await packCatalogue()
        if memory.hasSeveralChunks(catalogue.allGroups) {
            // What fails stays as it is, is counted, and is tried again after the next seal.
            _ = try? await counters.count(.compact) { () async throws(StoreError) in
                try await compactChunks(.growing, samplesMax: configuration.compactionSamplesMax)
            }
        }
        await emptyLogs()
    }
}

extension SeriesEngine {
    /// Puts definitions together where many series came.
    private func packCatalogue() async {
        await maintenance.enter()
        defer { maintenance.leave() }
        guard !isEnding else { return }
        // As it was, where it fails; the next turn tries again.
        try? cataloguePair.packInBackground(upTo: savedDefinitions.withLock { $0 })
    }

    /// Empties the write-ahead logs of all files that were written: of a small store they are most of what it takes.
    private func emptyLogs() async {
        for file in store.chunkFiles {
            await maintenance.enter()
            defer { maintenance.leave() }
            guard !isEnding else { return }
            // What fails stays in the log, where it is as safe.
            if store.file(at: file.place) === file { try? file.emptyLog() }
        }
        await maintenance.enter()
        defer { maintenance.leave() }
        guard !isEnding else { return }
        for file in rollups.files { try? file.emptyLog() }
        for (_, file) in cataloguePair.files { try? file.emptyLog() }
    }
}

extension SeriesMemory {
    /// The groups that have more than one chunk in a file.
    func groups(withSeveralChunksIn file: ChunkFile, of groups: [SourceGroup]) -> [SourceGroup] {
        locked { groups.filter { $0.chunks.count > 1 && $0.chunks.count { $0.file === file } > 1 } }
    }

    func hasSeveralChunks(_ groups: [SourceGroup]) -> Bool { locked { groups.contains { $0.chunks.count > 1 } } }
}
