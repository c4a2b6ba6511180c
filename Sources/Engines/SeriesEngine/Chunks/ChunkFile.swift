import SQLiteKit
import Synchronization
import VigilPorts

/// A database file with the chunks of one place.
///
/// `directory` says what each chunk holds and is read whole at the start; `data` holds the chunks. `sealed` in `meta` is
/// the position of the log up to which the file holds every reading of its period.
final class ChunkFile: Sendable {
    let place: ChunkPlace
    let tier: RetentionBounds.Tier
    let folder: String
    let name: String
    /// From when up to when its samples are.
    let stretch: (start: Int64, end: Int64)
    private let database: DatabaseFile
    private let position: Mutex<Int64>
    private let isRetired = Atomic(false)

    /// The first damage that was met in the file.
    var knownDamage: StoreError? { database.knownDamage }

    /// Everything of the log up to here is in the file.
    var sealed: Int64 { position.withLock { $0 } }

    init(
        folder: String, name: String, place: ChunkPlace, _ placement: ChunkPlacement, tier: RetentionBounds.Tier,
        cacheBytes: Int
    ) throws(StoreError) {
        stretch = (placement.start(of: place), placement.end(of: place))
        self.place = place
        self.tier = tier
        self.folder = folder
        self.name = name
        var found: Int64 = 0
        database = try DatabaseFile(folder: folder, name: name, cacheBytes: cacheBytes, schema: Self.schema) {
            version, session in
            switch version {
            // Version 2 had no rollups; its chunks are read without until they are made anew.
            case 2: try session.execute(Self.fromVersion2)
            case 3: try session.execute(Self.fromVersion3)
            // Version 4 wrote directories and rollups as they are, and what it wrote stays so.
            case 4: try session.execute("PRAGMA user_version = 5")
            case 5: break
            default: throw StoreError(.newerSchema, "a file of the series store is newer", details: ["file": name])
            }
            if case .integer(let sealed) = try session.row("SELECT value FROM meta WHERE name = 'sealed'")?.first {
                found = sealed
            }
        }
        position = Mutex(found)
    }

    private static let schema = """
        BEGIN;
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE directory (
            id INTEGER PRIMARY KEY, source INTEGER NOT NULL, generation INTEGER NOT NULL, bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE data (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE bucket (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        PRAGMA user_version = 5;
        COMMIT;
        """

    private static let fromVersion2 = """
        BEGIN;
        CREATE TABLE bucket (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        PRAGMA user_version = 5;
        COMMIT;
        """

    /// Version 3 had rollups in an index, which put what is longer than a thousand bytes on a page of its own.
    private static let fromVersion3 = """
        BEGIN;
        CREATE TABLE bucket (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        INSERT INTO bucket SELECT id * 4 + resolution, bytes FROM rollup;
        DROP TABLE rollup;
        PRAGMA user_version = 5;
        COMMIT;
        """

    /// The number of a rollup: four places for each chunk.
    private static func bucket(_ chunk: Int64, _ resolution: RollupResolution) -> Int64 {
        chunk * 4 + Int64(resolution.rawValue)
    }

    /// A chunk on its way into the file.
    struct NewChunk: Sendable {
        let reference: ChunkReference
        let data: [UInt8]
        let rollups: [(RollupResolution, [UInt8])]

        /// - Parameters:
        ///   - known: What the directory says of the columns, in their order.
        ///   - isLast: Whether nothing is to come that the chunk would be made one with.
        init(
            _ columns: [(series: UInt32, samples: RawSeries)], known: [ChunkColumn], file: ChunkFile, id: Int64,
            group: UInt32, generation: Int64, isLast: Bool = false
        ) {
            // From a quarter of the full size on it is written once more at most, and perhaps never.
            let isLarge = known.contains { $0.count >= ChunkStore.samplesMax / 4 }
            data = ColumnChunk.encode(columns, isLarge || isLast ? .thorough : .quick)
            rollups = ChunkRollups.of(columns)
            reference = ChunkReference(
                file: file, id: id, group: group, generation: generation, columns: known,
                rollups: RollupSet(rollups.map { RollupSet($0.0) }))
        }
    }

    /// All chunks of the file.
    func references() throws(StoreError) -> [ChunkReference] {
        try database.run { session in
            let rollups = try Self.rollups(session)
            return try session.withStatement("SELECT id, source, generation, bytes FROM directory") { statement in
                var result: [ChunkReference] = []
                while try statement.step() {
                    let columns = try statement.withBytes(3) { try ChunkDirectory.decode(Array($0)) }
                    result.append(
                        ChunkReference(
                            file: self, id: statement.integer(0),
                            group: UInt32(truncatingIfNeeded: statement.integer(1)),
                            generation: statement.integer(2), columns: columns,
                            rollups: rollups[statement.integer(0)] ?? []))
                }
                return result
            }
        }
    }

    /// Which rollups each chunk has.
    private static func rollups(_ session: SQLiteSession) throws -> [Int64: RollupSet] {
        try session.withStatement("SELECT id FROM bucket") { statement in
            var result: [Int64: RollupSet] = [:]
            while try statement.step() {
                let number = statement.integer(0)
                guard let resolution = RollupResolution(rawValue: UInt8(truncatingIfNeeded: number & 3))
                else { continue }
                result[number >> 2, default: []].insert(RollupSet(resolution))
            }
            return result
        }
    }

    /// Takes some chunks away and adds others, in one transaction.
    func write(removing ids: [Int64], adding chunks: [NewChunk], sealed: Int64?) throws(StoreError) {
        try database.change { session in
            for id in ids {
                try session.run("DELETE FROM directory WHERE id = ?", [.integer(id)])
                try session.run("DELETE FROM data WHERE id = ?", [.integer(id)])
                try session.run(
                    "DELETE FROM bucket WHERE id BETWEEN ? AND ?", [.integer(id * 4), .integer(id * 4 + 3)])
            }
            for chunk in chunks { try Self.insert(chunk, session) }
            if let sealed { try session.run("INSERT OR REPLACE INTO meta VALUES ('sealed', ?)", [.integer(sealed)]) }
        }
        if let sealed { position.withLock { $0 = sealed } }
    }

    private static func insert(_ chunk: NewChunk, _ session: SQLiteSession) throws {
        let reference = chunk.reference
        try session.run(
            "INSERT INTO directory VALUES (?, ?, ?, ?)",
            [
                .integer(reference.id), .integer(Int64(reference.group)), .integer(reference.generation),
                .bytes(ChunkDirectory.encode(reference.columns)),
            ])
        try session.run("INSERT INTO data VALUES (?, ?)", [.integer(reference.id), .bytes(chunk.data)])
        for (resolution, bytes) in chunk.rollups {
            try session.run(
                "INSERT INTO bucket VALUES (?, ?)", [.integer(bucket(reference.id, resolution)), .bytes(bytes)])
        }
    }

    /// What a chunk holds, or `nil` when the chunk was replaced.
    ///
    /// - Parameter kept: Counts it where it is kept for other questions.
    func content(of id: Int64, keptIn kept: KeptContents? = nil) throws(StoreError) -> ChunkContent? {
        try bytes(id, "SELECT bytes FROM data WHERE id = ?", [.integer(id)]) { bytes throws(ByteReader.Malformed) in
            try ChunkContent(bytes, kept: kept)
        }
    }

    /// A rollup of a chunk, or `nil` when the chunk was replaced.
    func rollup(of id: Int64, _ resolution: RollupResolution) throws(StoreError) -> RollupContent? {
        let text = "SELECT bytes FROM bucket WHERE id = ?"
        return try bytes(id, text, [.integer(Self.bucket(id, resolution))]) {
            bytes throws(ByteReader.Malformed) in
            try RollupContent(bytes, resolution)
        }
    }

    private func bytes<Content>(
        _ id: Int64, _ text: String, _ values: [SQLiteValue], _ parse: ([UInt8]) throws(ByteReader.Malformed) -> Content
    ) throws(StoreError) -> Content? {
        do {
            guard let bytes = try database.bytes(text, values) else { return nil }
            return try parse(bytes)
        } catch {
            // Somebody who still holds the old reference is told that the chunk is elsewhere now.
            if isRetired.load(ordering: .acquiring) { return nil }
            throw database.fault(error, chunk: id)
        }
    }

    /// What the rollups take, without what SQLite needs around them.
    func rollupBytes() throws(StoreError) -> Int {
        try database.run { session in
            guard case .integer(let bytes) = try session.row("SELECT sum(length(bytes)) FROM bucket")?.first
            else { return 0 }
            return Int(bytes)
        }
    }

    /// All samples of a chunk by series, or `nil` when the chunk was replaced.
    func samples(of id: Int64) throws(StoreError) -> [UInt32: RawSeries]? {
        guard let content = try content(of: id) else { return nil }
        var result: [UInt32: RawSeries] = [:]
        do {
            for series in content.series { result[series] = try content.samples(series) }
        } catch {
            throw database.fault(error, chunk: id)
        }
        return result
    }

    /// Ends the file because its chunks are elsewhere, or gone.
    func retire() {
        isRetired.store(true, ordering: .releasing)
        close()
    }

    /// Gives the space of what was removed back to the disk; costs as much as that was.
    func giveBack() throws(StoreError) { try database.giveBack() }

    /// Moves what the write-ahead log holds into the file and gives its space back.
    func emptyLog() throws(StoreError) { try database.emptyLog() }

    /// Which part of the file holds nothing.
    func freeShare() throws(StoreError) -> Double { try database.freeShare() }

    /// Writes the file anew without gaps.
    func shrink() throws(StoreError) { try database.shrink() }

    /// Reads every page and checks its checksum; gives their number.
    func scan() throws(StoreError) -> Int { try database.scan() }

    /// Writes a compact copy of the file.
    func copy(to path: String) throws(StoreError) { try database.copy(to: path) }

    func close() { database.close() }
}

/// Where a chunk lies and what it holds.
final class ChunkReference: Sendable {
    let file: ChunkFile
    let id: Int64
    let group: UInt32
    /// Of two chunks with the same time, the one of the higher generation came later.
    let generation: Int64
    let columns: [ChunkColumn]
    /// Which rollups lie beside it.
    let rollups: RollupSet
    let firstTime: Int64
    let lastTime: Int64
    /// What questions keep of it.
    let content = Mutex<ChunkContent?>(nil)

    init(
        file: ChunkFile, id: Int64, group: UInt32, generation: Int64, columns: [ChunkColumn], rollups: RollupSet
    ) {
        self.rollups = rollups
        self.file = file
        self.id = id
        self.group = group
        self.generation = generation
        self.columns = columns
        firstTime = columns.map(\.firstTime).min() ?? .max
        lastTime = columns.map(\.lastTime).max() ?? .min
    }

    func column(_ series: UInt32) -> ChunkColumn? { columns.first { $0.series == series } }
    var sampleCount: Int { columns.reduce(0) { $0 + $1.count } }
}

extension StoreError {
    /// The error of the port for what went wrong in a database file.
    init(_ error: any Error, file: String, chunk: Int64? = nil) {
        var details = ["file": file]
        if let chunk { details["chunk"] = String(chunk) }
        switch error {
        case let error as StoreError: self = error
        case is ByteReader.Malformed:
            self.init(.damaged, "a chunk is not what was written", details: details)
        case let failure as SQLiteFailure:
            if let offset = failure.offset { details["offset"] = String(offset) }
            switch failure.code {
            case .damaged: self.init(.damaged, "a file of the series store is damaged", details: details)
            case .full: self.init(.full, "the disk is full", details: details)
            case .readOnly: self.init(.readOnly, "a file of the series store takes no writes", details: details)
            default: self.init(.unavailable, "a file of the series store cannot be used", details: details)
            }
        default: self.init(.unavailable, "a file of the series store cannot be used", details: details)
        }
    }
}
