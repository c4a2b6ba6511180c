import SQLiteKit
import Synchronization
import TemporaryFolders
import Testing

struct FaultTests {
    /// A database with one row of 1, and its folder.
    private func database() throws -> (TemporaryFolder, SQLiteConnection) {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        try connection.run { (session) throws in
            try session.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB) STRICT; INSERT INTO t VALUES (1, NULL)")
        }
        return (folder, connection)
    }

    @Test(arguments: [
        (SQLiteFaults.Outcome.full, SQLiteFailure.Code.full), (.readOnly, .readOnly), (.inputOutput, .inputOutput),
        (.tear(after: 100), .inputOutput),
    ])
    func `a write that fails takes nothing with it`(outcome: SQLiteFaults.Outcome, code: SQLiteFailure.Code) throws {
        let (folder, connection) = try database()
        for failing in 0..<6 {
            let writes = Mutex(0)
            SQLiteFaults.set(below: folder.path) { event in
                guard event.operation == .write else { return .proceed }
                let number = writes.withLock { writes in
                    defer { writes += 1 }
                    return writes
                }
                return number >= failing ? outcome : .proceed
            }
            let failure = #expect(throws: SQLiteFailure.self) {
                try connection.run { (session) throws in
                    defer { try? session.rollback() }
                    try session.begin(immediate: true)
                    try session.run("INSERT INTO t VALUES (2, zeroblob(20000))")
                    try session.commit()
                }
            }
            SQLiteFaults.set(below: folder.path, nil)
            #expect(failure?.code == code, "write \(failing)")
            #expect(try connection.run { try $0.row("SELECT sum(a) FROM t") } == [.integer(1)])
        }
        try connection.run { _ = try $0.run("INSERT INTO t VALUES (2, zeroblob(20000))") }
        #expect(try connection.run { try $0.row("SELECT sum(a) FROM t") } == [.integer(3)])
        #expect(try connection.run { try $0.structuralFaults() } == [])
    }

    @Test func `a sync that fails is not a commit`() throws {
        let (folder, connection) = try database()
        SQLiteFaults.set(below: folder.path) { $0.operation == .sync ? .inputOutput : .proceed }
        #expect(throws: SQLiteFailure.self) { try connection.run { try $0.run("INSERT INTO t VALUES (2, NULL)") } }
        SQLiteFaults.set(below: folder.path, nil)
        #expect(try connection.run { try $0.row("SELECT sum(a) FROM t") } == [.integer(1)])
    }

    @Test func `every commit is synced before it returns`() throws {
        let (folder, connection) = try database()
        let trace = Mutex<[SQLiteFaults.Operation]>([])
        SQLiteFaults.set(below: folder.path) { event in
            if event.operation == .write || event.operation == .sync {
                trace.withLock { $0.append(event.operation) }
            }
            return .proceed
        }
        defer { SQLiteFaults.set(below: folder.path, nil) }
        for row in 2..<10 {
            trace.withLock { $0 = [] }
            try connection.run { _ = try $0.run("INSERT INTO t VALUES (?, NULL)", [.integer(Int64(row))]) }
            #expect(trace.withLock { $0.last } == .sync)
        }
    }

    @Test func `a checkpoint that fails anywhere loses nothing`() throws {
        for failing in 0..<5 {
            let (folder, connection) = try database()
            try connection.run { (session) throws in
                for row in 2..<6 { try session.run("INSERT INTO t VALUES (?, zeroblob(5000))", [.integer(Int64(row))]) }
            }
            let writes = Mutex(0)
            SQLiteFaults.set(below: folder.path) { event in
                guard event.operation == .write, event.path.hasSuffix(".db") else { return .proceed }
                let number = writes.withLock { writes in
                    defer { writes += 1 }
                    return writes
                }
                return number >= failing ? .tear(after: 1000) : .proceed
            }
            #expect(throws: SQLiteFailure.self) { try connection.run { try $0.checkpoint() } }
            // As after a power cut: the files as they lie there, opened anew.
            let copy = try TemporaryFolder()
            for name in ["a.db", "a.db-wal", "a.db-mark"] { try copy.write(try folder.bytes(of: name), to: name) }
            SQLiteFaults.set(below: folder.path, nil)
            let reopened = try SQLiteConnection(copy.file("a.db"), SQLiteOptions(access: .update))
            try reopened.run { (session) throws in
                #expect(try session.row("SELECT sum(a), sum(length(b)) FROM t") == [.integer(15), .integer(20000)])
                #expect(try session.structuralFaults() == [])
                #expect(try session.checkpoint())
                #expect(try session.scanPages() > 5)
            }
        }
    }
}
