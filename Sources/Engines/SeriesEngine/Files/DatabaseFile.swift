import SQLiteKit
import Synchronization
import VigilPorts

/// A database of the engine: its errors are those of the port, and the first damage that was met is remembered.
final class DatabaseFile: Sendable {
    let name: String
    private let connection: SQLiteConnection
    private let damage = Mutex<StoreError?>(nil)
    /// Whether something was written since the write-ahead log was empty.
    private let isLogged = Atomic(false)

    /// The first damage that was met in the file.
    var knownDamage: StoreError? { damage.withLock { $0 } }

    /// Opens the file, or makes it with `schema`; `upgrade` gets the version that is there, if any is.
    init(
        folder: String, name: String, cacheBytes: Int, schema: String, upgrade: (Int64, SQLiteSession) throws -> Void
    ) throws(StoreError) {
        self.name = name
        do {
            connection = try SQLiteConnection(
                folder + "/" + name, SQLiteOptions(cacheBytes: cacheBytes, isExclusive: true))
            try connection.run { session in
                guard case .integer(let version) = try session.row("PRAGMA user_version")?.first, version != 0 else {
                    try session.execute(schema)
                    // Pages know from now on who points to them, so that single ones can be given back.
                    return try session.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
                }
                try upgrade(version, session)
            }
        } catch {
            throw StoreError(error, file: name)
        }
    }

    /// The error of the port, remembered when it tells of damage.
    func fault(_ error: any Error, chunk: Int64? = nil) -> StoreError {
        let error = StoreError(error, file: name, chunk: chunk)
        if error.code == .damaged { damage.withLock { $0 = $0 ?? error } }
        return error
    }

    func run<Result>(_ body: (SQLiteSession) throws -> Result) throws(StoreError) -> Result {
        do {
            return try connection.run(body)
        } catch {
            throw fault(error)
        }
    }

    /// The bytes of the one row that `text` finds, or `nil` when there is none.
    ///
    /// Only copied under the connection: others wait for it while this one decodes.
    func bytes(_ text: String, _ values: [SQLiteValue]) throws -> [UInt8]? {
        try connection.run { session in
            try session.withStatement(text) { statement in
                try statement.bind(values)
                guard try statement.step() else { return nil }
                return statement.withBytes(0) { Array($0) }
            }
        }
    }

    /// Runs `body` in one transaction, which is on the disk afterwards.
    func change(_ body: (SQLiteSession) throws -> Void) throws(StoreError) {
        isLogged.store(true, ordering: .relaxed)
        try run { session in
            try session.begin(immediate: true)
            do {
                try body(session)
                try session.commit()
            } catch {
                try session.rollback()
                throw error
            }
        }
    }

    /// Moves what the write-ahead log holds into the file and gives its space back: it stays as long as it ever was otherwise.
    func emptyLog() throws(StoreError) {
        guard isLogged.exchange(false, ordering: .relaxed) else { return }
        try run { _ = try $0.checkpoint() }
    }

    /// Pages that are given back at once, between two of which others may use the file.
    private static let pagesPerStep = 4096

    /// Gives the space of what was removed back to the disk: costs as much as that was, not as the file.
    func giveBack() throws(StoreError) {
        let isIncremental = try run { try $0.row("PRAGMA auto_vacuum")?.first == .integer(2) }
        // A file of an older version learns it by being written anew.
        guard isIncremental else { return try shrink() }
        while true {
            let isDone = try run { session in
                guard case .integer(let free) = try session.row("PRAGMA freelist_count")?.first, free > 0 else {
                    return true
                }
                try session.execute("PRAGMA incremental_vacuum(\(Self.pagesPerStep))")
                try session.checkpoint()
                return free <= Self.pagesPerStep
            }
            if isDone { return }
        }
    }

    /// Which part of the pages holds nothing.
    func freeShare() throws(StoreError) -> Double {
        try run { session in
            guard case .integer(let free) = try session.row("PRAGMA freelist_count")?.first,
                case .integer(let all) = try session.row("PRAGMA page_count")?.first, all > 0
            else { return 0 }
            return Double(free) / Double(all)
        }
    }

    /// Writes the file anew without gaps.
    func shrink() throws(StoreError) {
        try run { session in
            try session.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
            try session.checkpoint()
        }
    }

    /// Reads every page and checks its checksum; gives their number.
    func scan() throws(StoreError) -> Int { try run { try $0.scanPages() } }

    /// Writes a compact copy of the file.
    func copy(to path: String) throws(StoreError) { try run { try $0.copy(to: path) } }

    func close() { try? connection.close() }
}
