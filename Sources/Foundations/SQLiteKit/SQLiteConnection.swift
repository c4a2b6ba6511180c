import CSQLiteVFS
import Foundation
import GRDB
import GRDBSQLite
import StorageKit
import Synchronization

/// A connection to a database file in write-ahead mode, with a checksum on every page.
///
/// ```swift
/// let connection = try SQLiteConnection("/data/vigil.db")
/// let count = try connection.run { session in
///     try session.row("SELECT count(*) FROM devices")?.integer(0)
/// }
/// ```
///
/// Calls from several threads are done one after the other. All files of Vigil are opened here and nowhere else: a file
/// without checksums is refused as damaged.
package final class SQLiteConnection: Sendable {
    package let path: String
    private let queue: DatabaseQueue
    // Used inside `queue` only.
    nonisolated(unsafe) private let session: SQLiteSession
    private let registration: OpenFiles.Registration

    package init(_ path: String, _ options: SQLiteOptions = SQLiteOptions()) throws(SQLiteFailure) {
        self.path = path
        _ = vigil_vfs_take_damage(nil)
        let code = vigil_vfs_register()
        guard code == SQLITE_OK else {
            throw SQLiteFailure(.misuse, "The file layer was not taken", resultCode: code, path: path)
        }
        let existing = try? LocalFileSystem().status(of: path)
        guard options.access == .create || existing != nil else {
            throw SQLiteFailure(.cannotOpen, "There is no such file", resultCode: SQLITE_CANTOPEN, path: path)
        }
        if let existing, existing.size == 0, options.access != .create {
            throw SQLiteFailure(.damaged, "The file is empty", resultCode: SQLITE_NOTADB, path: path, offset: 0)
        }
        registration = try OpenFiles.register(path)
        do {
            let configuration = Self.configuration(options)
            queue = try DatabaseQueue(path: path, configuration: configuration)
            session = try queue.writeWithoutTransaction { database in
                guard let handle = database.sqliteConnection else {
                    throw SQLiteFailure(.misuse, "No connection", resultCode: SQLITE_MISUSE, path: path)
                }
                return SQLiteSession(handle: handle, path: path, statementCount: options.statementCount)
            }
        } catch {
            throw SQLiteFailure(error, path: path)
        }
    }

    private static func configuration(_ options: SQLiteOptions) -> Configuration {
        let isReadOnly = options.access == .read
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(Double(options.busyTimeoutMilliseconds) / 1000)
        configuration.prepareDatabase { database in
            if options.isExclusive { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
            if !isReadOnly {
                let code = vigil_vfs_reserve(database.sqliteConnection.map { UnsafeMutableRawPointer($0) })
                guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
                try database.execute(sql: "PRAGMA page_size = \(options.pageSize)")
                try database.execute(sql: "PRAGMA journal_mode = WAL")
                try database.execute(sql: "PRAGMA synchronous = \(options.synchronous.rawValue)")
                try database.execute(sql: "PRAGMA wal_autocheckpoint = \(options.checkpointPages)")
                // A log that grew in one great transaction gives its space back.
                try database.execute(sql: "PRAGMA journal_size_limit = \(64 << 20)")
            }
            try database.execute(sql: "PRAGMA cache_size = -\(options.cacheBytes / 1024)")
            try database.execute(sql: "PRAGMA mmap_size = 0")
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
            database.add(function: JoinedText.function)
        }
        return configuration
    }

    /// Runs `body` alone on this connection, on the thread of the caller.
    ///
    /// A body must not call `run` again. After ``close()`` it throws `closed`.
    package func run<Result>(_ body: (SQLiteSession) throws -> Result) throws -> Result {
        try queue.writeWithoutTransaction { _ in
            // The session keeps the bare handle, whose memory belongs to others once the connection is closed.
            guard !session.isFinished else {
                throw SQLiteFailure(.closed, "The connection is closed", resultCode: SQLITE_MISUSE, path: path)
            }
            // What another connection left behind on this thread is not ours.
            _ = vigil_vfs_take_damage(nil)
            return try body(session)
        }
    }

    /// Ends the connection; the last one of a file moves the log into it.
    ///
    /// Calls afterwards fail with `closed`; closing again does nothing.
    package func close() throws(SQLiteFailure) {
        do {
            queue.writeWithoutTransaction { _ in session.finish() }
            try queue.close()
        } catch {
            throw SQLiteFailure(error, path: path)
        }
    }
}

/// The database files that this process has open, so that the log of a file is checked before its first connection.
enum OpenFiles {
    private static let counts = Mutex<[String: Int]>([:])

    final class Registration: Sendable {
        private let path: String

        init(path: String) {
            self.path = path
        }

        deinit {
            OpenFiles.counts.withLock { counts in
                counts[path] = (counts[path] ?? 1) > 1 ? (counts[path] ?? 1) - 1 : nil
            }
        }
    }

    static func register(_ path: String) throws(SQLiteFailure) -> Registration {
        try counts.withLock { counts throws(SQLiteFailure) in
            if counts[path] == nil {
                var damage = vigil_damage()
                let code = vigil_vfs_check_log(path, &damage)
                guard code == SQLITE_OK else { throw SQLiteFailure(damage, resultCode: code) }
            }
            counts[path, default: 0] += 1
        }
        return Registration(path: path)
    }
}
