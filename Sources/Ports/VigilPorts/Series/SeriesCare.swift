/// A series store that people can look after: `vigil series …`.
package protocol SeriesCare: Sendable {
    /// What it keeps on disk, file by file.
    func sizes() async throws(StoreError) -> [SeriesFileFact]

    /// Reads every checksum and names each damage that it finds; one damage does not hide another.
    func verify() async throws(StoreError) -> SeriesVerification

    /// Gives the space of what was removed and overwritten back to the disk.
    func compact() async throws(StoreError)
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
