import SQLiteKit
import VigilPorts

/// A database file with the definitions that the log no longer holds, and how far the log is part of the files.
///
/// New definitions are rows of their own; compaction puts them together behind zstd, because they tell the same names
/// again and again.
final class CatalogueFile: Sendable {
    private let database: DatabaseFile

    init(folder: String, name: String = FileNames.catalogue) throws(StoreError) {
        database = try DatabaseFile(
            folder: folder, name: name, cacheBytes: 8 << 20, schema: Self.schema
        ) { version, session in
            switch version {
            // Version 1 had each definition in a row of its own.
            case 1: try session.execute(Self.fromVersion1)
            case 2: break
            default: throw StoreError(.newerSchema, "the series catalogue was written by a newer version")
            }
        }
    }

    private static let packedTable = """
        CREATE TABLE packed (id INTEGER PRIMARY KEY, definitions INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
        PRAGMA user_version = 2;
        COMMIT;
        """

    private static let fromVersion1 = "BEGIN; " + packedTable

    private static let schema = """
        BEGIN;
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE definition (
            kind INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, number)
        ) STRICT, WITHOUT ROWID;

        """ + packedTable

    /// Hands every definition to `body`, those first that others need, and returns the position.
    func load(_ body: (RecordKind, UnsafeRawBufferPointer) throws(StoreError) -> Void) throws(StoreError) -> Int64 {
        try database.run { session in
            // What a definition needs is never in a later block than itself, and never after it there.
            try session.withStatement("SELECT bytes FROM packed ORDER BY id") { statement in
                while try statement.step() {
                    try DefinitionBlock.each(statement.withBytes(0) { Array($0) }, body)
                }
            }
            try session.withStatement("SELECT kind, bytes FROM definition ORDER BY kind, number") { statement in
                while try statement.step() {
                    guard let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: statement.integer(0))) else {
                        continue
                    }
                    try statement.withBytes(1) { try body(kind, $0) }
                }
            }
            return try Self.sealed(session)
        }
    }

    private static func sealed(_ session: SQLiteSession) throws -> Int64 {
        try number("SELECT value FROM meta WHERE name = 'sealed'", session)
    }

    private static func number(_ text: String, _ session: SQLiteSession) throws -> Int64 {
        guard case .integer(let value) = try session.row(text)?.first else { return 0 }
        return value
    }

    /// How many definitions there are, and the position.
    func extent() throws(StoreError) -> (definitions: Int64, sealed: Int64) {
        try database.run { session in
            let packed = try Self.number("SELECT sum(definitions) FROM packed", session)
            return (packed + (try Self.number("SELECT count(*) FROM definition", session)), try Self.sealed(session))
        }
    }

    /// How many definitions are rows of their own.
    func looseCount() throws(StoreError) -> Int64 {
        try database.run { try Self.number("SELECT count(*) FROM definition", $0) }
    }

    /// - Parameter isAll: Whether these are to be the only ones.
    func save(
        _ definitions: [(RecordKind, UInt32, RecordBuffer)], sealed: Int64, isAll: Bool = false
    ) throws(StoreError) {
        try database.change { session in
            if isAll { try session.execute("DELETE FROM packed; DELETE FROM definition") }
            for (kind, number, buffer) in definitions {
                try session.run(
                    "INSERT OR REPLACE INTO definition VALUES (?, ?, ?)",
                    [.integer(Int64(kind.rawValue)), .integer(Int64(number)), .bytes(Array(buffer.payload))])
            }
            try session.run("INSERT OR REPLACE INTO meta VALUES ('sealed', ?)", [.integer(sealed)])
        }
    }

    /// Puts the definitions up to `saved`, which nobody saves again, together.
    func pack(upTo saved: SeriesCatalogue.Saved) throws(StoreError) {
        try database.change { session in
            var blocks = try Self.lastBlock(session)
            for (kind, last) in [(RecordKind.group, saved.group), (.series, saved.series), (.layout, saved.layout)] {
                let range: [SQLiteValue] = [.integer(Int64(kind.rawValue)), .integer(Int64(last))]
                let text = "SELECT bytes FROM definition WHERE kind = ? AND number <= ? ORDER BY number"
                try session.withStatement(text) { statement in
                    try statement.bind(range)
                    while try statement.step() {
                        if blocks.isEmpty || blocks[blocks.count - 1].isFull { blocks.append(DefinitionBlock()) }
                        statement.withBytes(0) { blocks[blocks.count - 1].append(kind, $0) }
                    }
                }
                try session.run("DELETE FROM definition WHERE kind = ? AND number <= ?", range)
            }
            for block in blocks where !block.isEmpty {
                try session.run(
                    "INSERT INTO packed (definitions, bytes) VALUES (?, ?)",
                    [.integer(Int64(block.count)), .bytes(block.packed)])
            }
        }
    }

    /// Takes the last block away, to go on with it, where there is room in it.
    private static func lastBlock(_ session: SQLiteSession) throws -> [DefinitionBlock] {
        guard
            case .integer(let id) = try session.row(
                "SELECT id FROM packed WHERE id = (SELECT max(id) FROM packed) AND definitions < ?",
                [.integer(Int64(DefinitionBlock.countMax))])?.first
        else { return [] }
        var block = DefinitionBlock()
        try session.withStatement("SELECT bytes FROM packed WHERE id = ?") { statement in
            try statement.bind([.integer(id)])
            while try statement.step() {
                try DefinitionBlock.each(statement.withBytes(0) { Array($0) }) { kind, bytes in
                    block.append(kind, bytes)
                }
            }
        }
        try session.run("DELETE FROM packed WHERE id = ?", [.integer(id)])
        return [block]
    }

    /// Gives the space of what was removed back to the disk; costs as much as that was.
    func giveBack() throws(StoreError) { try database.giveBack() }

    /// Moves what the write-ahead log holds into the file and gives its space back.
    func emptyLog() throws(StoreError) { try database.emptyLog() }

    /// Writes the file anew without gaps.
    func shrink() throws(StoreError) { try database.shrink() }

    /// Reads every page and checks its checksum; gives their number.
    func scan() throws(StoreError) -> Int { try database.scan() }

    /// Writes a compact copy of the file.
    func copy(to path: String) throws(StoreError) { try database.copy(to: path) }

    func close() { database.close() }
}
