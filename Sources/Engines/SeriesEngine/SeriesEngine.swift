import Synchronization
package import VigilModel
package import VigilPorts

/// The embedded series store: one folder, no server.
///
/// A batch is one record of the log, so it is stored whole or not at all wherever its readings land; `append` returns
/// after the record is synced and visible. Damage that the start finds is listed in ``damage``: what is whole stays
/// readable, and the store takes no writes.
package final class SeriesEngine: SeriesStore {
    let catalogue: SeriesCatalogue
    let memory: SeriesMemory
    let log: LogWriter
    let clock: any TimeSource
    let files: any FileSystem
    let folder: String
    let store: ChunkStore
    let contents: KeptContents
    let rollups: RollupStore
    let counters: CareCounters
    let tiers: TierFolders
    let cataloguePair: CataloguePair
    /// Held by sealing and by removals, which must not meet.
    let maintenance = Turnstile()
    let savedDefinitions: Mutex<SeriesCatalogue.Saved>
    let sealing = WorkGate()
    let compacting = WorkGate()
    private let isClosed = Atomic(false)
    package let configuration: SeriesConfiguration
    /// What the start found to be damaged, by file and offset.
    package let damage: [StoreError]
    private let lock: any FolderLock

    /// Opens the store in `folder`, which is made when it is missing.
    ///
    /// - Throws: `locked` when another process has the folder open, `newerSchema` when a newer version wrote it.
    package static func open(
        folder: String, clock: any TimeSource, configuration: SeriesConfiguration = SeriesConfiguration()
    ) async throws(StoreError) -> SeriesEngine {
        try SeriesEngine(
            files: try DiskFileSystem(folder: folder), folder: folder, clock: clock, configuration: configuration)
    }

    init(
        files: any FileSystem, folder: String, clock: any TimeSource, configuration: SeriesConfiguration
    ) throws(StoreError) {
        lock = try files.lock(FileNames.lock)
        let catalogue = SeriesCatalogue()
        let memory = SeriesMemory()
        contents = KeptContents(bytesMax: configuration.keptContentBytesMax)
        let tiers = try TierFolders(folder: folder, configuration: configuration)
        let own = try DiskFileSystem(folder: folder).names() + tiers.warmNames() + tiers.archiveNames()
        let isNew = own.allSatisfy { FileNames.place($0) == nil && FileNames.rollupPeriod($0) == nil }
        let cataloguePair = try CataloguePair(folder: folder, isNew: isNew, into: catalogue)
        savedDefinitions = Mutex(catalogue.counted)
        let store = try ChunkStore(
            folder: folder, names: try files.names(), warmFolder: tiers.warm.folder, warmNames: try tiers.warmNames(),
            placement: configuration.placement, cacheBytes: configuration.fileCacheBytes,
            smallMax: configuration.smallChunkSamplesMax)
        let rollups = try RollupStore(
            folder: folder, names: try files.names(), cacheBytes: configuration.fileCacheBytes)
        // What has no place to come from may be in a file that cannot be read: it is finished once that is whole again.
        if store.unreadable.isEmpty, rollups.unreadable.isEmpty {
            try Self.finishLeaving(rollups, store, isStart: true)
        }
        try tiers.attachMarked(to: store, cacheBytes: configuration.fileCacheBytes)
        var orphans: [ChunkReference] = []
        for chunk in try store.load() {
            if let group = catalogue.group(chunk.group) {
                memory.replace([], by: [chunk], of: group)
            } else {
                orphans.append(chunk)
            }
        }
        for rollup in try rollups.load() {
            guard let group = catalogue.group(rollup.group) else { continue }
            group.rollups.append(rollup)
        }
        let recovery = SeriesRecovery(
            catalogue: catalogue, memory: memory, store: store, rollups: rollups, orphans: orphans)
        var scanner = LogScanner(files: files, after: cataloguePair.sealed)
        let end = try scanner.scan(created: clock.now().microseconds) { (kind, position, payload) throws(StoreError) in
            try recovery.take(kind, position, payload)
        }
        memory.markEmpty(catalogue.allGroups.flatMap { catalogue.series(of: $0) })
        damage =
            scanner.damage + store.unreadable.map(\.error) + rollups.unreadable.map(\.error) + recovery.nameless
        let failure = damage.first.map {
            StoreError(.readOnly, "the series store is damaged and takes no writes", details: $0.details)
        }
        log = try LogWriter(
            files: files, end: end, pendingBytesMax: configuration.pendingBytesMax, failure: failure
        ) { kind, _, buffer in
            Self.apply(kind, buffer, catalogue, memory)
        }
        self.catalogue = catalogue
        self.memory = memory
        self.clock = clock
        self.files = files
        self.folder = folder
        self.store = store
        self.rollups = rollups
        counters = CareCounters(clock: clock)
        self.tiers = tiers
        self.cataloguePair = cataloguePair
        self.configuration = configuration
        log.start()
    }

    deinit {
        log.abandon()
    }

    // MARK: - SeriesStore

    package func append(_ batch: ReadingBatch, in scope: AccessScope) async throws(StoreError) -> LogPosition {
        let tenant = try tenant(of: scope)
        try log.check()
        if batch.isEmpty { return log.lastPosition }
        guard memory.totals.bytes <= configuration.memoryBytesLimit else {
            sealWhenDue()
            throw StoreError(.unavailable, "too many readings wait to be written into files")
        }
        try validate(batch)
        let log = log
        let runs = BatchRecord.Runs(batch.rows)
        let tables = runs.mixed.isEmpty ? batch.ownTables : batch.ownTables + runs.mixed
        let (layouts, runLayouts) = try catalogue.layouts(of: tables, runs, tenant: tenant) {
            (record) throws(StoreError) in
            try log.enqueue(.definitions, record)
        }
        let buffer = BatchRecord.write(tables, layouts: layouts, runs, runLayouts: runLayouts, arrival: batch.arrival)
        buffer.layouts = layouts + runLayouts
        let position = try await commit(.batch, buffer).position
        sealWhenDue()
        // Rows are durable, but sealing is behind: who sends waits for it, so that memory has a bound.
        if memory.totals.bytes > configuration.memoryBytesMax * 2 { await sealing.ended() }
        return position
    }

    package func close() async {
        if isClosed.exchange(true, ordering: .acquiringAndReleasing) {
            // Who closes again waits for the first, and finds nothing to do.
            await log.close()
            await maintenance.enter()
            return maintenance.leave()
        }
        // What cannot be sealed is in the log: the next start reads it there.
        if memory.totals.bytes > 0 { try? await seal() }
        await maintenance.enter()
        await log.close()
        store.close()
        rollups.close()
        cataloguePair.close()
        lock.release()
        maintenance.leave()
    }

    package func statistics() async throws(StoreError) -> SeriesStatistics {
        let totals = memory.totals
        var diskBytes = 0
        for name in try files.names() where name != FileNames.lock { diskBytes += files.size(of: name) }
        diskBytes += tiers.bytes
        return SeriesStatistics(
            seriesCount: catalogue.seriesCount - totals.emptySeries, sampleCount: totals.samples,
            diskBytes: diskBytes, memoryBytes: totals.bytes)
    }

    // MARK: - Inside

    /// Whether the store is being closed.
    var isEnding: Bool { isClosed.load(ordering: .acquiring) }

    func tenant(of scope: AccessScope) throws(StoreError) -> TenantID {
        guard let tenant = scope.tenant else { throw StoreError(.invalid, "a scope without a tenant") }
        return tenant
    }

    /// Returns when the record is synced and visible.
    func commit(_ kind: RecordKind, _ buffer: RecordBuffer) async throws(StoreError) -> LogWriter.Written {
        let log = log
        let result: Result<LogWriter.Written, StoreError> = await withUnsafeContinuation { continuation in
            do throws(StoreError) {
                try log.enqueue(kind, buffer) { continuation.resume(returning: $0) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    private func validate(_ batch: ReadingBatch) throws(StoreError) {
        let (first, last) = (Timestamp.distantPast.microseconds, Timestamp.distantFuture.microseconds)
        for part in batch.rows.parts where part.shape.fields.count > configuration.columnsMax {
            throw StoreError(.limit, "a row has too many fields")
        }
        for row in batch.rows.rows where row.time < first || row.time > last {
            throw StoreError(.invalid, "a time lies outside the years 0000 to 9999")
        }
        for table in batch.ownTables {
            guard table.columns.count <= configuration.columnsMax else {
                throw StoreError(.limit, "a table has too many columns")
            }
            for column in table.columns
            where column.values.count != table.times.count
                || column.present.map({ $0.count != table.times.count }) ?? false
                || column.quality.map({ $0.count != table.times.count }) ?? false
            {
                throw StoreError(.invalid, "a column is not as long as its table")
            }
            for time in table.times where time < first || time > last {
                throw StoreError(.invalid, "a time lies outside the years 0000 to 9999")
            }
        }
    }

    /// Makes a record visible that has just been synced.
    private static func apply(
        _ kind: RecordKind, _ buffer: RecordBuffer, _ catalogue: SeriesCatalogue, _ memory: SeriesMemory
    ) -> Int {
        switch kind {
        case .batch:
            let layouts = buffer.layouts
            let isWhole = memory.append(buffer.payload) { index, _ in layouts[index] }
            precondition(isWhole, "BUG: a record of the log cannot be read back")
            return 0
        case .delete, .deleteTenant:
            SeriesRecovery.removeOpenRows(kind, buffer.payload, catalogue, memory)
            return 0
        case .group, .series, .layout, .definitions, .mark: return 0
        }
    }
}
