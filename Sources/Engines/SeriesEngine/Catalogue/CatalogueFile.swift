import SQLiteKit
import VigilPorts

/// A database file with the definitions that the log no longer holds, and how far the log is part of the files.
final class CatalogueFile: Sendable {
    private let database: DatabaseFile

    init(folder: String, name: String = FileNames.catalogue) throws(StoreError) {
        database = try DatabaseFile(
            folder: folder, name: name, cacheBytes: 8 << 20, schema: Self.schema
        ) { version, _ in
            guard version == 1 else {
                throw StoreError(.newerSchema, "the series catalogue was written by a newer version")
            }
        }
    }

    private static let schema = """
        BEGIN;
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE definition (
            kind INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, number)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
        COMMIT;
        """

    /// Hands every definition to `body`, those first that others need, and returns the position.
    func load(_ body: (RecordKind, UnsafeRawBufferPointer) throws(StoreError) -> Void) throws(StoreError) -> Int64 {
        try database.run { session in
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
        guard case .integer(let value) = try session.row("SELECT value FROM meta WHERE name = 'sealed'")?.first
        else { return 0 }
        return value
    }

    /// How many definitions there are, and the position.
    func extent() throws(StoreError) -> (definitions: Int64, sealed: Int64) {
        try database.run { session in
            guard case .integer(let count) = try session.row("SELECT count(*) FROM definition")?.first else {
                return (0, 0)
            }
            return (count, try Self.sealed(session))
        }
    }

    func save(_ definitions: [(RecordKind, UInt32, RecordBuffer)], sealed: Int64) throws(StoreError) {
        try database.change { session in
            for (kind, number, buffer) in definitions {
                try session.run(
                    "INSERT OR REPLACE INTO definition VALUES (?, ?, ?)",
                    [.integer(Int64(kind.rawValue)), .integer(Int64(number)), .bytes(Array(buffer.payload))])
            }
            try session.run("INSERT OR REPLACE INTO meta VALUES ('sealed', ?)", [.integer(sealed)])
        }
    }

    /// Reads every page and checks its checksum; gives their number.
    func scan() throws(StoreError) -> Int { try database.scan() }

    /// Writes a compact copy of the file.
    func copy(to path: String) throws(StoreError) { try database.copy(to: path) }

    func close() { database.close() }
}
