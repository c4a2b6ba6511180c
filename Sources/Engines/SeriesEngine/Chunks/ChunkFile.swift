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
    private let connection: SQLiteConnection
    private let position: Mutex<Int64>
    private let damage = Mutex<StoreError?>(nil)

    /// The first damage that was met in the file.
    var knownDamage: StoreError? { damage.withLock { $0 } }

    /// The error of the port, remembered when it tells of damage.
    private func fault(_ error: any Error, chunk: Int64? = nil) -> StoreError {
        let error = StoreError(error, file: name, chunk: chunk)
        if error.code == .damaged { damage.withLock { $0 = $0 ?? error } }
        return error
    }
    private let isRetired = Atomic(false)

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
        position = Mutex(0)
        do {
            connection = try SQLiteConnection(
                folder + "/" + name, SQLiteOptions(cacheBytes: cacheBytes, isExclusive: true))
            let found = try connection.run { session in
                let version = try session.row("PRAGMA user_version")?.first
                guard version != .integer(0) else {
                    try session.execute(Self.schema)
                    return Int64(0)
                }
                // Version 2 had no rollups; its chunks are read without until they are made anew.
                if version == .integer(2) { try session.execute(Self.rollupSchema) }
                guard version == .integer(2) || version == .integer(3) else {
                    throw StoreError(.newerSchema, "a file of the series store is newer", details: ["file": name])
                }
                guard case .integer(let sealed) = try session.row("SELECT value FROM meta WHERE name = 'sealed'")?.first
                else { return 0 }
                return sealed
            }
            position.withLock { $0 = found }
        } catch {
            throw StoreError(error, file: name)
        }
    }

    private static let schema = """
        BEGIN;
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE directory (
            id INTEGER PRIMARY KEY, source INTEGER NOT NULL, generation INTEGER NOT NULL, bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE data (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE rollup (
            id INTEGER NOT NULL, resolution INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (id, resolution)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 3;
        COMMIT;
        """

    private static let rollupSchema = """
        BEGIN;
        CREATE TABLE rollup (
            id INTEGER NOT NULL, resolution INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (id, resolution)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 3;
        COMMIT;
        """

    /// A chunk on its way into the file.
    struct NewChunk: Sendable {
        let reference: ChunkReference
        let data: [UInt8]
        let rollups: [(RollupResolution, [UInt8])]

        /// - Parameter known: What the directory says of the columns, in their order.
        init(
            _ columns: [(series: UInt32, samples: RawSeries)], known: [ChunkColumn], file: ChunkFile, id: Int64,
            group: UInt32, generation: Int64
        ) {
            data = ColumnChunk.encode(columns)
            rollups = ChunkRollups.of(columns)
            reference = ChunkReference(
                file: file, id: id, group: group, generation: generation, columns: known,
                rollups: RollupSet(rollups.map { RollupSet($0.0) }))
        }
    }

    /// All chunks of the file.
    func references() throws(StoreError) -> [ChunkReference] {
        do {
            return try connection.run { session in
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
        } catch {
            throw fault(error)
        }
    }

    /// Which rollups each chunk has.
    private static func rollups(_ session: SQLiteSession) throws -> [Int64: RollupSet] {
        try session.withStatement("SELECT id, resolution FROM rollup") { statement in
            var result: [Int64: RollupSet] = [:]
            while try statement.step() {
                guard let resolution = RollupResolution(rawValue: UInt8(truncatingIfNeeded: statement.integer(1)))
                else { continue }
                result[statement.integer(0), default: []].insert(RollupSet(resolution))
            }
            return result
        }
    }

    /// Takes some chunks away and adds others, in one transaction.
    func write(removing ids: [Int64], adding chunks: [NewChunk], sealed: Int64?) throws(StoreError) {
        do {
            try connection.run { session in
                try session.begin(immediate: true)
                do {
                    for id in ids {
                        try session.run("DELETE FROM directory WHERE id = ?", [.integer(id)])
                        try session.run("DELETE FROM data WHERE id = ?", [.integer(id)])
                        try session.run("DELETE FROM rollup WHERE id = ?", [.integer(id)])
                    }
                    for chunk in chunks { try Self.insert(chunk, session) }
                    if let sealed {
                        try session.run("INSERT OR REPLACE INTO meta VALUES ('sealed', ?)", [.integer(sealed)])
                    }
                    try session.commit()
                } catch {
                    try session.rollback()
                    throw error
                }
            }
        } catch {
            throw fault(error)
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
                "INSERT INTO rollup VALUES (?, ?, ?)",
                [.integer(reference.id), .integer(Int64(resolution.rawValue)), .bytes(bytes)])
        }
    }

    /// What a chunk holds, or `nil` when the chunk was replaced.
    func content(of id: Int64) throws(StoreError) -> ChunkContent? {
        do {
            // Only copied under the connection: others wait for it while this one decodes.
            let bytes = try connection.run { session in
                try session.withStatement("SELECT bytes FROM data WHERE id = ?") { statement -> [UInt8]? in
                    try statement.bind([.integer(id)])
                    guard try statement.step() else { return nil }
                    return statement.withBytes(0) { Array($0) }
                }
            }
            return try bytes.map { bytes throws(ByteReader.Malformed) in try ChunkContent(bytes) }
        } catch {
            // Somebody who still holds the old reference is told that the chunk is elsewhere now.
            if isRetired.load(ordering: .acquiring) { return nil }
            throw fault(error, chunk: id)
        }
    }

    /// A rollup of a chunk, or `nil` when the chunk was replaced.
    func rollup(of id: Int64, _ resolution: RollupResolution) throws(StoreError) -> RollupContent? {
        do {
            let bytes = try connection.run { session in
                try session.withStatement("SELECT bytes FROM rollup WHERE id = ? AND resolution = ?") {
                    statement -> [UInt8]? in
                    try statement.bind([.integer(id), .integer(Int64(resolution.rawValue))])
                    guard try statement.step() else { return nil }
                    return statement.withBytes(0) { Array($0) }
                }
            }
            return try bytes.map { bytes throws(ByteReader.Malformed) in try RollupContent(bytes, resolution) }
        } catch {
            if isRetired.load(ordering: .acquiring) { return nil }
            throw fault(error, chunk: id)
        }
    }

    /// What the rollups take, without what SQLite needs around them.
    func rollupBytes() throws(StoreError) -> Int {
        do {
            return try connection.run { session in
                guard case .integer(let bytes) = try session.row("SELECT sum(length(bytes)) FROM rollup")?.first
                else { return 0 }
                return Int(bytes)
            }
        } catch {
            throw fault(error)
        }
    }

    /// All samples of a chunk by series, or `nil` when the chunk was replaced.
    func samples(of id: Int64) throws(StoreError) -> [UInt32: RawSeries]? {
        guard let content = try content(of: id) else { return nil }
        var result: [UInt32: RawSeries] = [:]
        do {
            for series in content.series { result[series] = try content.samples(series) }
        } catch {
            throw fault(error, chunk: id)
        }
        return result
    }

    /// Ends the file because its chunks are elsewhere, or gone.
    func retire() {
        isRetired.store(true, ordering: .releasing)
        close()
    }

    /// Gives the space of what was removed back to the disk.
    func shrink() throws(StoreError) {
        do {
            try connection.run { session in
                try session.execute("VACUUM")
                try session.checkpoint()
            }
        } catch {
            throw fault(error)
        }
    }

    /// Reads every page and checks its checksum; gives their number.
    func scan() throws(StoreError) -> Int {
        do {
            return try connection.run { try $0.scanPages() }
        } catch {
            throw fault(error)
        }
    }

    /// Writes a compact copy of the file.
    func copy(to path: String) throws(StoreError) {
        do {
            try connection.run { try $0.copy(to: path) }
        } catch {
            throw fault(error)
        }
    }

    func close() {
        try? connection.close()
    }
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
