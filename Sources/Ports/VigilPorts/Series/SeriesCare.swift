/// A series store that people can look after: `vigil series …`.
package protocol SeriesCare: Sendable {
    /// What it keeps on disk, file by file.
    func sizes() async throws(StoreError) -> [SeriesFileFact]

    /// Reads every checksum and names each damage that it finds; one damage does not hide another.
    func verify() async throws(StoreError) -> SeriesVerification

    /// Gives the space of what was removed and overwritten back to the disk.
    func compact() async throws(StoreError)

    /// What it did to keep itself in order since it was opened, and what waits.
    func figures() -> SeriesCareFigures
}

/// What a series store did to keep itself in order, and what waits.
package struct SeriesCareFigures: Sendable, Hashable {
    /// One kind of work.
    package struct Work: Sendable, Hashable {
        /// seal, compact, retention or delete.
        package var name: String
        package var runs = 0
        package var failures = 0
        /// Written to files.
        package var bytes = 0
        /// How long it took in all.
        package var microseconds = 0
        package var isRunning = false

        package init(_ name: String) {
            self.name = name
        }
    }

    package var works: [Work]
    /// Bytes of batches that wait for the disk.
    package var waitingBytes: Int
    /// Bytes of the log that are in no other file yet.
    package var logBytes: Int
    /// Chunks that are known.
    package var chunks: Int
    /// Kept rollups that are known.
    package var rollups: Int

    package init(works: [Work], waitingBytes: Int, logBytes: Int, chunks: Int, rollups: Int) {
        self.works = works
        self.waitingBytes = waitingBytes
        self.logBytes = logBytes
        self.chunks = chunks
        self.rollups = rollups
    }
}

/// A file of a series store.
package struct SeriesFileFact: Sendable, Hashable, Codable {
    package var name: String
    /// log, catalogue, hot, warm or archive.
    package var kind: String
    package var bytes: Int

    package init(name: String, kind: String, bytes: Int) {
        self.name = name
        self.kind = kind
        self.bytes = bytes
    }
}

/// What a look at every checksum found.
package struct SeriesVerification: Sendable, Hashable, Codable {
    package struct Damage: Sendable, Hashable, Codable {
        package var file: String
        /// Bytes from the beginning of the file, where that is known.
        package var offset: Int?
        /// The chunk's number in its file, where that is known.
        package var chunk: Int?
        package var reason: String

        package init(file: String, offset: Int?, chunk: Int?, reason: String) {
            self.file = file
            self.offset = offset
            self.chunk = chunk
            self.reason = reason
        }
    }

    package var files = 0
    package var pages = 0
    package var chunks = 0
    package var damage: [Damage] = []

    package init() {}
}
