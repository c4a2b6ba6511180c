import SQLiteKit
import TemporaryFolders
import Testing

struct SQLiteConnectionTests {
    @Test func `values come back as they were bound`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        let values: [SQLiteValue] = [
            .null, .integer(.min), .integer(.max), .real(-0.5), .text(""), .text("é\u{1F525}'\""), .bytes([]),
            .bytes([0, 255]),
        ]
        try connection.run { (session) throws in
            for value in values {
                #expect(try session.row("SELECT ?", [value]) == [value])
            }
        }
    }

    @Test func `a file keeps what was committed, and forgets what was rolled back`() throws {
        let folder = try TemporaryFolder()
        do {
            let connection = try SQLiteConnection(folder.file("a.db"))
            try connection.run { (session) throws in
                try session.execute("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT")
                try session.begin(immediate: true)
                #expect(try session.run("INSERT INTO t VALUES (1), (2)") == 2)
                try session.commit()
                try session.begin(immediate: true)
                try session.run("INSERT INTO t VALUES (3)")
                try session.rollback()
            }
            try connection.close()
        }
        let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: .read))
        #expect(try connection.run { try $0.row("SELECT sum(a) FROM t") } == [.integer(3)])
    }

    @Test func `a connection that is closed refuses calls, and may be closed again`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        try connection.run { try $0.execute("CREATE TABLE t (a INTEGER) STRICT") }
        try connection.close()
        // A second connection may take the memory of the first: nothing of the first may reach it.
        let other = try SQLiteConnection(folder.file("b.db"))
        for _ in 0..<3 {
            #expect(throws: SQLiteFailure.self) { try connection.run { try $0.row("SELECT 1 FROM t") } }
            try connection.close()
        }
        #expect(try other.run { try $0.row("SELECT 1") } == [.integer(1)])
    }

    @Test(arguments: [512, 4096, 16384, 65536])
    func `every page carries a checksum, whatever its size`(pageSize: Int) throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(pageSize: pageSize))
        try fill(connection, rows: 300)
        try connection.run { (session) throws in
            #expect(try session.checkpoint())
            let count = try pageCount(session)
            #expect(try session.scanPages() == count)
            #expect(try session.structuralFaults() == [])
        }
        let bytes = try folder.bytes(of: "a.db")
        #expect(bytes[20] == 8)
        #expect(bytes.count % pageSize == 0)
    }

    @Test func `a transaction larger than the cache reads its own pages from the log`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(cacheBytes: 64 << 10))
        try connection.run { (session) throws in
            try session.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB NOT NULL) STRICT")
            try session.begin(immediate: true)
            for row in 0..<4000 {
                try session.run("INSERT INTO t VALUES (?, randomblob(500))", [.integer(Int64(row))])
            }
            // The pages that were spilled into the log are changed, spilled again, and read back.
            for _ in 0..<3 { try session.run("UPDATE t SET b = randomblob(500)") }
            #expect(try session.row("SELECT count(*), sum(length(b)) FROM t") == [.integer(4000), .integer(2_000_000)])
            try session.commit()
            #expect(try session.row("SELECT sum(length(b)) FROM t") == [.integer(2_000_000)])
        }
        let reader = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: .read))
        #expect(try reader.run { try $0.row("SELECT sum(length(b)) FROM t") } == [.integer(2_000_000)])
        try connection.run { (session) throws in
            try session.begin(immediate: true)
            try session.run("UPDATE t SET b = randomblob(600)")
            try session.rollback()
            #expect(try session.row("SELECT sum(length(b)) FROM t") == [.integer(2_000_000)])
        }
    }

    @Test func `a copy is taken while others write, and has checksums too`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        try fill(connection, rows: 100)
        let reader = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: .read))
        try reader.run { try $0.copy(to: folder.file("copy.db")) }
        let copy = try SQLiteConnection(folder.file("copy.db"), SQLiteOptions(access: .read))
        try copy.run { (session) throws in
            #expect(try session.row("SELECT count(*) FROM t") == [.integer(100)])
            let count = try pageCount(session)
            #expect(try session.scanPages() == count)
        }
    }

    @Test func `a running statement stops when asked`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        try connection.run { (session) throws in
            session.interrupt(when: { true })
            let failure = #expect(throws: SQLiteFailure.self) {
                try session.row(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
            }
            #expect(failure?.code == .interrupted)
            session.interrupt(when: nil)
            #expect(try session.row("SELECT 1") == [.integer(1)])
        }
    }

    @Test func `a text of two statements is refused, not half done`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        try connection.run { (session) throws in
            let failure = #expect(throws: SQLiteFailure.self) { try session.row("SELECT 1; SELECT 2") }
            #expect(failure?.code == .invalid)
            #expect(try session.row("SELECT 1 ; ") == [.integer(1)])
        }
    }

    @Test func `statements are kept up to the limit`() throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"), SQLiteOptions(statementCount: 2))
        try connection.run { (session) throws in
            for round in 0..<3 {
                for number in 0..<5 {
                    #expect(try session.row("SELECT \(number)") == [.integer(Int64(number))], "\(round)")
                }
            }
        }
    }

    @Test(arguments: [
        ("INSERT INTO child VALUES (1, 99)", SQLiteFailure.Code.reference),
        ("DELETE FROM parent WHERE id = 1", .reference),
        ("INSERT INTO parent VALUES (1, 'a')", .duplicate), ("INSERT INTO parent VALUES (7, 'one')", .duplicate),
        ("INSERT INTO parent VALUES (8, NULL)", .constraint), ("INSERT INTO parent VALUES (9, '')", .constraint),
        ("INSERT INTO parent VALUES ('x', 'y')", .constraint), ("SELEC 1", .invalid), ("SELECT * FROM none", .invalid),
    ])
    func `failures are told apart`(statement: String, code: SQLiteFailure.Code) throws {
        let folder = try TemporaryFolder()
        let connection = try SQLiteConnection(folder.file("a.db"))
        try connection.run { (session) throws in
            try session.execute(
                """
                CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> '')) STRICT;
                CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id)) STRICT;
                INSERT INTO parent VALUES (1, 'one'); INSERT INTO child VALUES (5, 1);
                """)
            let failure = #expect(throws: SQLiteFailure.self) { try session.run(statement) }
            #expect(failure?.code == code)
        }
    }

    @Test func `a file that is not there is made only when asked`() throws {
        let folder = try TemporaryFolder()
        for access in [SQLiteOptions.Access.read, .update] {
            let failure = #expect(throws: SQLiteFailure.self) {
                try SQLiteConnection(folder.file("a.db"), SQLiteOptions(access: access))
            }
            #expect(failure?.code == .cannotOpen)
        }
    }
}

/// Makes a table with an index, and rows that need overflow pages.
func fill(_ connection: SQLiteConnection, rows: Int) throws {
    try connection.run { (session) throws in
        try session.execute(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL) STRICT; CREATE INDEX t_b ON t (b)")
        try session.begin(immediate: true)
        for row in 0..<rows {
            let text = String(repeating: "row \(row) ", count: row % 7 == 0 ? 900 : 3)
            try session.run("INSERT INTO t VALUES (?, ?)", [.integer(Int64(row)), .text(text)])
        }
        try session.commit()
    }
}

func pageCount(_ session: SQLiteSession) throws -> Int {
    guard case .integer(let count)? = try session.row("PRAGMA page_count")?.first else { return -1 }
    return Int(count)
}
