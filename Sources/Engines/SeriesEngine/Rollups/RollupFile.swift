import SQLiteKit
import VigilPorts

/// A database file with what is kept of readings that went.
///
/// `kept` holds the rollups. `leaving` names the chunks whose rollups are in the file and which are to go: both are written
/// in one transaction, so that after a crash the chunks go before anybody counts their readings twice.
final class RollupFile: Sendable {
    let period: Int64
    private let database: DatabaseFile
    var name: String { database.name }

    init(folder: String, period: Int64, cacheBytes: Int) throws(StoreError) {
        self.period = period
        let name = FileNames.rollups(period)
        database = try DatabaseFile(
            folder: folder, name: name, cacheBytes: cacheBytes, schema: Self.schema
        ) { version, session in
            switch version {
            // Version 1 had no sketches: of what went before no quantile is known.
            // Version 2 wrote rollups as they are, and what it wrote stays so.
            case 1, 2: try session.execute("PRAGMA user_version = 3")
            case 3: break
            default: throw StoreError(.newerSchema, "a file of the series store is newer", details: ["file": name])
            }
        }
    }

    private static let schema = """
        BEGIN;
        CREATE TABLE kept (
            id INTEGER PRIMARY KEY, source INTEGER NOT NULL, resolution INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, buckets INTEGER NOT NULL, series BLOB NOT NULL, bytes BLOB NOT NULL
        ) STRICT;
        CREATE TABLE leaving (
            file TEXT NOT NULL, chunk INTEGER NOT NULL, PRIMARY KEY (file, chunk)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 3;
        COMMIT;
        """

    /// All rollups of the file.
    func references() throws(StoreError) -> [RollupReference] {
        try database.run { session in
            try session.withStatement("SELECT id, source, resolution, first, last, buckets, series FROM kept") {
                statement in
                var result: [RollupReference] = []
                while try statement.step() {
                    guard let kind = RollupResolution(rawValue: UInt8(truncatingIfNeeded: statement.integer(2)))
                    else { continue }
                    let series = try statement.withBytes(6) { bytes throws(ByteReader.Malformed) in
                        var reader = ByteReader(Array(bytes))
                        let count = try reader.count(limit: 1 << 20)
                        return try IntegerCodec.decode(try reader.block(), count: count)
                    }
                    result.append(
                        RollupReference(
                            file: self, id: statement.integer(0),
                            group: UInt32(truncatingIfNeeded: statement.integer(1)), resolution: kind,
                            firstTime: statement.integer(3), lastTime: statement.integer(4),
                            bucketCount: Int(statement.integer(5)),
                            series: series.map { UInt32(truncatingIfNeeded: $0) }))
                }
                return result
            }
        }
    }

    /// Takes some rollups away and adds others, and notes which chunks are to go, in one transaction.
    func write(
        _ changes: [RollupChange], leaving: [(file: String, chunk: Int64)] = []
    ) throws(StoreError) {
        try database.change { session in
            for change in changes {
                for old in change.removed { try session.run("DELETE FROM kept WHERE id = ?", [.integer(old.id)]) }
                for new in change.added { try Self.insert(new, session) }
            }
            for (file, chunk) in leaving {
                try session.run("INSERT OR REPLACE INTO leaving VALUES (?, ?)", [.text(file), .integer(chunk)])
            }
        }
    }

    private static func insert(_ new: RollupChange.New, _ session: SQLiteSession) throws {
        let reference = new.reference
        var series = ByteWriter()
        series.append(varint: UInt64(reference.series.count))
        series.append(block: IntegerCodec.encode(reference.series.map { Int64($0) }))
        try session.run(
            "INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(reference.id), .integer(Int64(reference.group)),
                .integer(Int64(reference.resolution.rawValue)), .integer(reference.firstTime),
                .integer(reference.lastTime), .integer(Int64(reference.bucketCount)), .bytes(series.bytes),
                .bytes(new.bytes),
            ])
    }

    /// The chunks that are to go, by their files.
    func leaving() throws(StoreError) -> [String: [Int64]] {
        try database.run { session in
            try session.withStatement("SELECT file, chunk FROM leaving") { statement in
                var result: [String: [Int64]] = [:]
                while try statement.step() {
                    result[statement.text(0), default: []].append(statement.integer(1))
                }
                return result
            }
        }
    }

    /// Notes that the chunks of a file went.
    func forgetLeaving(_ name: String) throws(StoreError) {
        try database.change { try $0.run("DELETE FROM leaving WHERE file = ?", [.text(name)]) }
    }

    /// A rollup, or `nil` when it was made anew.
    func content(_ id: Int64, _ resolution: RollupResolution) throws(StoreError) -> RollupContent? {
        do {
            guard let bytes = try database.bytes("SELECT bytes FROM kept WHERE id = ?", [.integer(id)]) else {
                return nil
            }
            return try RollupContent(bytes, resolution)
        } catch {
            throw database.fault(error, chunk: id)
        }
    }

    /// Gives the space of what was removed back to the disk; costs as much as that was.
    func giveBack() throws(StoreError) { try database.giveBack() }

    /// Moves what the write-ahead log holds into the file and gives its space back.
    func emptyLog() throws(StoreError) { try database.emptyLog() }

    /// Writes the file anew without gaps.
    func shrink() throws(StoreError) { try database.shrink() }

    /// Writes a compact copy of the file.
    func copy(to path: String) throws(StoreError) { try database.copy(to: path) }

    /// Reads every page and every rollup.
    func verify(_ result: inout SeriesVerification) {
        result.files += 1
        do throws(StoreError) {
            result.pages += try database.scan()
        } catch {
            result.note(error, file: name)
        }
        do throws(StoreError) {
            for reference in try references() {
                result.chunks += 1
                do throws(StoreError) {
                    _ = try content(reference.id, reference.resolution)
                } catch {
                    result.note(error, file: name)
                }
            }
        } catch {
            result.note(error, file: name)
        }
    }

    func close() { database.close() }
}

/// Where a rollup lies and what it holds.
final class RollupReference: Sendable {
    let file: RollupFile
    let id: Int64
    let group: UInt32
    let resolution: RollupResolution
    let firstTime: Int64
    let lastTime: Int64
    /// The buckets of the series that has most.
    let bucketCount: Int
    let series: [UInt32]

    init(
        file: RollupFile, id: Int64, group: UInt32, resolution: RollupResolution, firstTime: Int64, lastTime: Int64,
        bucketCount: Int, series: [UInt32]
    ) {
        self.file = file
        self.id = id
        self.group = group
        self.resolution = resolution
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.bucketCount = bucketCount
        self.series = series
    }

    /// - Throws: `contention` when it was made anew meanwhile: take a new snapshot then.
    func content() throws(StoreError) -> RollupContent {
        guard let content = try file.content(id, resolution) else {
            throw StoreError(.contention, "a rollup was replaced while it was read")
        }
        return content
    }

    /// The buckets of every series.
    func all() throws(StoreError) -> [UInt32: [RollupBucket]] {
        let content = try content()
        var result: [UInt32: [RollupBucket]] = [:]
        for number in content.series { result[number] = try content.kept(number, of: self, hasSketches: true) }
        return result
    }
}

/// Rollups of one group that take the place of others.
struct RollupChange: Sendable {
    /// A rollup on its way into the file.
    struct New: Sendable {
        let reference: RollupReference
        let bytes: [UInt8]
    }

    var removed: [RollupReference] = []
    var added: [New] = []

    var isEmpty: Bool { removed.isEmpty && added.isEmpty }
}
