package import VigilPorts

extension SeriesEngine {
    /// Writes a copy of the store into `folder`, which is there and empty, while others go on appending and asking.
    ///
    /// It holds every reading whose append had returned when the copy began, and whole batches only: files change under
    /// the turnstile alone, which is held, and of the log, which grows meanwhile, any beginning is a store.
    package func copy(into folder: String) async throws(StoreError) {
        await maintenance.enter()
        defer { maintenance.leave() }
        for file in store.chunkFiles { try file.copy(to: folder + "/" + file.name) }
        for file in rollups.files { try file.copy(to: folder + "/" + file.name) }
        for (name, file) in cataloguePair.files { try file.copy(to: folder + "/" + name) }
        let copies = try DiskFileSystem(folder: folder)
        for name in try files.names() where FileNames.logNumber(name) != nil {
            let source = try files.open(name)
            try Self.copyBytes(of: source, to: try copies.open(name))
        }
    }

    /// Where archived readings lie.
    package var archiveFolder: String { tiers.archive.folder }

    /// Writes a copy of every file of the archive into `folder`, which is there and empty.
    package func copyArchive(into folder: String) async throws(StoreError) {
        await maintenance.enter()
        defer { maintenance.leave() }
        for name in try tiers.archiveNames() {
            if let file = store.attached(name) {
                try file.copy(to: folder + "/" + name)
                continue
            }
            let file = try tiers.open(name, cacheBytes: configuration.fileCacheBytes)
            defer { file.close() }
            try file.copy(to: folder + "/" + name)
        }
    }

    private static func copyBytes(of source: any File, to target: any File) throws(StoreError) {
        let size = try source.size()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < size {
            let window = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, size - offset)])
            let count = try source.read(into: window, at: offset)
            if count == 0 { break }
            try target.write(UnsafeRawBufferPointer(rebasing: window[..<count]), at: offset)
            offset += count
        }
        try target.sync()
    }
}
