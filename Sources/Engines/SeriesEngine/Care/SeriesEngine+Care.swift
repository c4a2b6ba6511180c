import Synchronization
package import VigilPorts

extension SeriesEngine: SeriesCare {
    package func sizes() async throws(StoreError) -> [SeriesFileFact] {
        try log.checkOpen()
        var facts: [SeriesFileFact] = []
        for (folder, kind) in [(files, "hot"), (tiers.warm, "warm"), (tiers.archive, "archive")]
            as [(any FileSystem, String)]
        {
            for name in try folder.names().sorted() where name != FileNames.lock {
                let bytes = folder.size(of: name)
                if FileNames.logNumber(name) != nil {
                    facts.append(SeriesFileFact(name: name, kind: "log", bytes: bytes))
                } else if name.hasPrefix(FileNames.catalogue) || name.hasPrefix(FileNames.catalogueCopy) {
                    facts.append(SeriesFileFact(name: name, kind: "catalogue", bytes: bytes))
                } else if FileNames.rollupPeriod(name) != nil {
                    facts.append(SeriesFileFact(name: name, kind: "rollups", bytes: bytes))
                } else if name.hasPrefix("chunks-"), !name.hasSuffix(FileNames.attached) {
                    facts.append(SeriesFileFact(name: name, kind: kind, bytes: bytes))
                }
            }
        }
        return facts
    }

    package func verify() async throws(StoreError) -> SeriesVerification {
        try log.checkOpen()
        var result = SeriesVerification()
        for error in damage { result.note(error, file: "log") }
        result.files += store.unreadable.count + rollups.unreadable.count
        for file in store.chunkFiles + store.attachedFiles {
            // Alone with the file, or sealing would move its chunks about.
            await maintenance.enter()
            defer { maintenance.leave() }
            file.verify(&result)
        }
        for file in rollups.files {
            await maintenance.enter()
            defer { maintenance.leave() }
            file.verify(&result)
        }
        for (name, file) in cataloguePair.files {
            result.files += 1
            do throws(StoreError) {
                result.pages += try file.scan()
            } catch {
                result.note(error, file: name)
            }
        }
        for name in try tiers.archiveNames() where store.attached(name) == nil {
            result.check(name) { () throws(StoreError) in
                try tiers.open(name, cacheBytes: configuration.fileCacheBytes)
            }
        }
        return result
    }

    package func compact() async throws(StoreError) {
        try log.check()
        if memory.totals.bytes > 0 { try await seal() }
        try await counters.count(.compact) { () async throws(StoreError) in try await compactFiles() }
    }

    private func compactFiles() async throws(StoreError) {
        try await compactChunks(.thorough)
        for file in store.chunkFiles + store.attachedFiles {
            await maintenance.enter()
            defer { maintenance.leave() }
            // A file that moved meanwhile was made anew, and has no space to give.
            guard store.file(at: file.place) === file || store.attached(file.name) === file else { continue }
            try file.shrink()
        }
        await maintenance.enter()
        defer { maintenance.leave() }
        for file in rollups.files { try file.shrink() }
        try cataloguePair.compact(upTo: savedDefinitions.withLock { $0 })
    }

    /// Reads every checksum of a folder that cannot be opened as a whole, perhaps because of its damage.
    ///
    /// Call it only while nobody has the folder open.
    package static func verify(
        folder: String, configuration: SeriesConfiguration = SeriesConfiguration()
    ) throws(StoreError) -> SeriesVerification {
        let files = try DiskFileSystem(folder: folder)
        let lock = try files.lock(FileNames.lock)
        defer { lock.release() }
        let tiers = try TierFolders(folder: folder, configuration: configuration)
        var result = SeriesVerification()
        let names = try files.names()
        // A folder of before the copy has none.
        for name in [FileNames.catalogue, FileNames.catalogueCopy]
        where name == FileNames.catalogue || names.contains(name) {
            result.files += 1
            do throws(StoreError) {
                guard names.contains(name) else {
                    throw StoreError(.damaged, "the series catalogue is missing", details: ["file": name])
                }
                let catalogue = try CatalogueFile(folder: folder, name: name)
                defer { catalogue.close() }
                _ = try catalogue.load { (_, _) throws(StoreError) in }
            } catch {
                result.note(error, file: name)
            }
        }
        for name in try files.names().sorted() {
            guard let period = FileNames.rollupPeriod(name) else { continue }
            do throws(StoreError) {
                let file = try RollupFile(
                    folder: files.folder, period: period, cacheBytes: configuration.fileCacheBytes)
                defer { file.close() }
                file.verify(&result)
            } catch {
                result.files += 1
                result.note(error, file: name)
            }
        }
        for (folder, tier) in [
            (files, RetentionBounds.Tier.hot), (tiers.warm, .warm), (tiers.archive, .archive),
        ] {
            for name in try folder.names().sorted() {
                guard let place = FileNames.place(name) else { continue }
                result.check(name) { () throws(StoreError) in
                    try ChunkFile(
                        folder: folder.folder, name: name, place: place, configuration.placement, tier: tier,
                        cacheBytes: configuration.fileCacheBytes)
                }
            }
        }
        return result
    }
}

extension SeriesVerification {
    mutating func note(_ error: StoreError, file: String) {
        damage.append(
            Damage(
                file: error.details["file"] ?? file, offset: error.details["offset"].flatMap { Int($0) },
                chunk: error.details["chunk"].flatMap { Int($0) }, reason: error.message))
    }

    /// Checks a file that is opened for it.
    mutating func check(_ name: String, _ open: () throws(StoreError) -> ChunkFile) {
        do throws(StoreError) {
            let file = try open()
            defer { file.close() }
            file.verify(&self)
        } catch {
            files += 1
            note(error, file: name)
        }
    }
}

extension ChunkFile {
    /// Reads every page and every chunk.
    func verify(_ result: inout SeriesVerification) {
        result.files += 1
        do throws(StoreError) {
            result.pages += try scan()
        } catch {
            result.note(error, file: name)
        }
        do throws(StoreError) {
            for reference in try references() {
                result.chunks += 1
                do throws(StoreError) {
                    _ = try content(of: reference.id)
                    for resolution in RollupResolution.allCases
                    where reference.rollups.contains(RollupSet(resolution)) {
                        _ = try rollup(of: reference.id, resolution)
                    }
                } catch {
                    result.note(error, file: name)
                }
            }
        } catch {
            result.note(error, file: name)
        }
    }
}
