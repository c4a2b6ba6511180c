import RelationalEngine
import SQLiteKit
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct SQLiteFaultTests {
    private static let scope = SystemScope.allTenants("testing")

    private func database() async throws -> (TemporaryFolder, SQLiteStore) {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.file("a.db"), limits: .init(read: .milliseconds(200)))
        try await store.write(in: Self.scope) { transaction in
            try transaction.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB) STRICT")
            try transaction.execute("INSERT INTO t VALUES (1, zeroblob(100000))")
        }
        return (folder, store)
    }

    private func code(_ body: () async throws -> Void) async -> StoreError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test(arguments: [
        (SQLiteFaults.Outcome.full, StoreError.Code.full), (.readOnly, .readOnly), (.inputOutput, .unavailable),
    ])
    func `a disk that takes no write is named, and the store goes on when it does again`(
        outcome: SQLiteFaults.Outcome, expected: StoreError.Code
    ) async throws {
        let (folder, store) = try await database()
        SQLiteFaults.set(below: folder.path) { $0.operation == .write ? outcome : .proceed }
        let failure = await code {
            _ = try await store.write(in: Self.scope) { try $0.execute("INSERT INTO t VALUES (2, NULL)") }
        }
        SQLiteFaults.set(below: folder.path, nil)
        #expect(failure == expected)
        try await store.write(in: Self.scope) { try $0.execute("INSERT INTO t VALUES (3, NULL)") }
        let ids = try await store.read(in: Self.scope) { transaction in
            try transaction.rows("SELECT a FROM t ORDER BY a").map { try $0.get("a", as: Int.self) }
        }
        #expect(ids == [1, 3])
        await store.close()
    }

    @Test func `after damage the store takes no writes, and says where it is`() async throws {
        let (folder, first) = try await database()
        await first.close()
        try folder.flip(bit: (5 * 4096 + 100) * 8, of: "a.db")
        let store = try SQLiteStore(path: folder.file("a.db"))
        let damage = await #expect(throws: StoreError.self) {
            try await store.read(in: Self.scope) { _ = try $0.rows("SELECT b FROM t") }
        }
        #expect(damage?.code == .damaged)
        #expect(damage?.details["file"] == folder.file("a.db"))
        #expect(damage?.details["offset"] == String(5 * 4096))
        #expect(damage?.description.hasPrefix("DAMAGE: ") == true)
        let refused = await code {
            _ = try await store.write(in: Self.scope) { try $0.execute("INSERT INTO t VALUES (2, NULL)") }
        }
        #expect(refused == .damaged)
        #expect(await code { _ = try await store.inspect() } == .damaged)
        await store.close()
    }

    @Test func `a read that runs too long is ended with timeout`() async throws {
        let (_, store) = try await database()
        let endless: SQL =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n"
        #expect(await code { _ = try await store.read(in: Self.scope) { try $0.rows(endless) } } == .timeout)
        let one = try await store.read(in: Self.scope) { try $0.rows("SELECT 1 AS one")[0].get("one", as: Int.self) }
        #expect(one == 1)
        await store.close()
    }

    @Test func `a copy holds a whole state while writes go on`() async throws {
        let (folder, store) = try await database()
        async let writing: Void = {
            for number in 2..<60 {
                try await store.write(in: Self.scope) { transaction in
                    try transaction.execute("INSERT INTO t VALUES (\(number * 2), NULL), (\(number * 2 + 1), NULL)")
                }
            }
        }()
        for number in 0..<3 { try await store.copy(to: folder.file("copy\(number).db")) }
        try await writing
        for number in 0..<3 {
            let copy = try SQLiteStore(path: folder.file("copy\(number).db"))
            let count = try await copy.read(in: Self.scope) { transaction in
                try transaction.rows("SELECT count(*) AS n FROM t")[0].get("n", as: Int.self)
            }
            #expect(count % 2 == 1)
            #expect(try await copy.inspect().faults == [])
            await copy.close()
        }
        await store.close()
    }
}
