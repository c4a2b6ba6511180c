import CSQLiteVFS
import GRDBSQLite

extension SQLiteSession {
    /// Moves the log into the file and empties it, as far as readers allow.
    ///
    /// Returns whether it is empty now.
    @discardableResult
    package func checkpoint() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        if code & 0xFF == SQLITE_BUSY { return false }
        try check(code)
        return true
    }

    /// Reads every page of the file, not of the cache, and checks its checksum.
    ///
    /// Returns how many pages there are.
    package func scanPages() throws(SQLiteFailure) -> Int {
        var pages: Int64 = 0
        var damage = vigil_damage()
        let code = vigil_vfs_scan(UnsafeMutableRawPointer(handle), &pages, &damage)
        if SQLiteFailure.Code(resultCode: code) == .damaged { throw SQLiteFailure(damage, resultCode: code) }
        try check(code)
        return Int(pages)
    }

    /// What is wrong with the structure of the file and its foreign keys, a sentence each; empty when nothing is.
    package func structuralFaults() throws -> [String] {
        var faults: [String] = []
        try withStatement("PRAGMA integrity_check(100)") { statement in
            while try statement.step() { faults.append(statement.text(0)) }
        }
        if faults == ["ok"] { faults = [] }
        try withStatement("PRAGMA foreign_key_check") { statement in
            while try statement.step(), faults.count < 200 {
                faults.append("a row of \(statement.text(0)) refers to a row of \(statement.text(2)) that is not there")
            }
        }
        return faults
    }

    /// Writes a compact copy of the present state to `target`, which must not exist, while others read and write.
    package func copy(to target: String) throws {
        try withStatement("VACUUM INTO ?") { statement in
            try statement.bind([.text(target)])
            try statement.execute()
        }
    }
}
