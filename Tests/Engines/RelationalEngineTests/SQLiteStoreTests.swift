import RelationalEngine
import TemporaryFolders
import Testing
import VigilModel
import VigilPorts

@Suite struct SQLiteStoreTests {
    private static let scope = SystemScope.allTenants("testing")

    private struct FixedClock: TimeSource {
        func now() -> Timestamp { Timestamp(seconds: 1_700_000_000) }
        func wait(until deadline: Timestamp) async throws {}
    }

    private static let table = Migration(
        number: 2, name: "things",
        up: "CREATE TABLE things (id {{int}} PRIMARY KEY, name {{text}}, data {{json}}) {{strict}};",
        down: "DROP TABLE things;")

    private func store(_ folder: TemporaryFolder) async throws -> SQLiteStore {
        let store = try SQLiteStore(path: folder.file("a.db"))
        _ = try await SQLiteMigrator(store, backups: nil, clock: FixedClock()).up(
            [.outbox, Self.table], to: nil, dryRun: false)
        return store
    }

    @Test func `closing under load ends every call with an answer`() async throws {
        for _ in 0..<20 {
            let folder = try TemporaryFolder()
            let store = try await store(folder)
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        do {
                            if number % 2 == 0 {
                                try await store.write(in: Self.scope) {
                                    try $0.execute("INSERT INTO things (id) VALUES (\(number))")
                                }
                            } else {
                                _ = try await store.read(in: Self.scope) { try $0.rows("SELECT id FROM things") }
                            }
                        } catch {
                            #expect((error as? StoreError)?.code == .unavailable, "\(error)")
                        }
                    }
                }
                group.addTask { await store.close() }
            }
        }
    }

    @Test func `what a write commits, a read sees, and what throws is gone`() async throws {
        let folder = try TemporaryFolder()
        let store = try await store(folder)
        try await store.write(in: Self.scope) { try $0.execute("INSERT INTO things (id, name) VALUES (1, \("one"))") }
        struct Mishap: Error {}
        await #expect(throws: Mishap.self) {
            try await store.write(in: Self.scope) { transaction in
                try transaction.execute("INSERT INTO things (id) VALUES (2)")
                throw Mishap()
            }
        }
        let names = try await store.read(in: Self.scope) { transaction in
            try transaction.rows("SELECT name FROM things ORDER BY id").map { try $0.get("name", as: String.self) }
        }
        #expect(names == ["one"])
        await store.close()
    }

    @Test func `values are bound and never become syntax`() async throws {
        let folder = try TemporaryFolder()
        let store = try await store(folder)
        let hostile = ["'); DROP TABLE things; --", "", "\u{1F600} \u{202E}", "100%_\\"]
        let count = try await store.write(in: Self.scope) { transaction in
            try transaction.insert(
                into: "things", columns: ["id", "name"],
                rows: hostile.enumerated().map { [.integer(Int64($0.offset)), .text($0.element)] }, conflict: nil)
        }
        #expect(count == 4)
        let found = try await store.read(in: Self.scope) { transaction in
            try transaction.rows("SELECT id FROM things WHERE name IN \(hostile) ORDER BY id").count
        }
        #expect(found == 4)
        let literal = try await store.read(in: Self.scope) { transaction in
            try transaction.rows("SELECT id FROM things WHERE \(transaction.dialect.containsText("name", "%_"))").count
        }
        #expect(literal == 1)
        await store.close()
    }

    @Test func `errors say what the caller can do`() async throws {
        let folder = try TemporaryFolder()
        let store = try await store(folder)
        try await store.write(in: Self.scope) { try $0.execute("INSERT INTO things (id) VALUES (1)") }
        let duplicate = await #expect(throws: StoreError.self) {
            try await store.write(in: Self.scope) { try $0.execute("INSERT INTO things (id) VALUES (1)") }
        }
        #expect(duplicate?.code == .duplicate)
        let write = await #expect(throws: StoreError.self) {
            try await store.read(in: Self.scope) { try $0.execute("INSERT INTO things (id) VALUES (3)") }
        }
        #expect(write?.code == .invalid)
        await store.close()
        let closed = await #expect(throws: StoreError.self) {
            try await store.read(in: Self.scope) { try $0.rows("SELECT 1 AS a") }
        }
        #expect(closed?.code == .unavailable)
    }

    @Test func `increments from many tasks are all there`() async throws {
        let folder = try TemporaryFolder()
        let store = try await store(folder)
        try await store.write(in: Self.scope) { try $0.execute("INSERT INTO things (id, name) VALUES (1, '0')") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await store.write(in: Self.scope) { transaction in
                        let row = try transaction.rows("SELECT name FROM things WHERE id = 1")[0]
                        let next = (Int(try row.get("name", as: String.self)) ?? 0) + 1
                        try transaction.execute("UPDATE things SET name = \(String(next)) WHERE id = 1")
                    }
                }
            }
            try await group.waitForAll()
        }
        let last = try await store.read(in: Self.scope) {
            try $0.rows("SELECT name FROM things")[0].get("name", as: String.self)
        }
        #expect(last == "50")
        await store.close()
    }

    @Test func `the outbox tells what was committed, in order, and says that it came`() async throws {
        let folder = try TemporaryFolder()
        let store = try await store(folder)
        var arrivals = store.outboxArrivals().makeAsyncIterator()
        for number in 1...3 {
            try await store.write(in: Self.scope) { transaction in
                try transaction.appendToOutbox(
                    OutboxMessage(
                        tenant: nil, type: "thing.made", aggregate: "thing", aggregateID: String(number),
                        data: .object(["number": .integer(Int64(number))]), time: Timestamp(seconds: Int64(number))))
            }
        }
        _ = await arrivals.next()
        let entries = try await store.outbox(after: .start, limit: 10)
        #expect(entries.map(\.message.aggregateID) == ["1", "2", "3"])
        let rest = try await store.outbox(after: entries[1].position, limit: 10)
        #expect(rest == [entries[2]])
        await store.close()
    }

    @Test func `migrations go up and down, and refuse a changed or a newer history`() async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.file("a.db"))
        let migrator = SQLiteMigrator(store, backups: folder.file("backups"), clock: FixedClock())
        let tried = try await migrator.up([.outbox, Self.table], to: nil, dryRun: true)
        #expect(tried.count == 2)
        #expect(try await migrator.status([.outbox, Self.table]).allSatisfy { $0.state == .pending })
        #expect(try await migrator.up([.outbox, Self.table], to: nil, dryRun: false).count == 2)
        #expect(try await migrator.up([.outbox, Self.table], to: nil, dryRun: false).isEmpty)
        let changed = Migration(number: 2, name: "things", up: "SELECT 1;", down: "SELECT 1;")
        let refusal = await #expect(throws: StoreError.self) {
            try await migrator.up([.outbox, changed], to: nil, dryRun: false)
        }
        #expect(refusal?.code == .invalid)
        let newer = await #expect(throws: StoreError.self) { try await migrator.up([.outbox], to: nil, dryRun: false) }
        #expect(newer?.code == .newerSchema)
        #expect(try await migrator.down([.outbox, Self.table], steps: 1).map(\.number) == [2])
        #expect(try await migrator.status([.outbox, Self.table]).map(\.state) == [.applied, .pending])
        await store.close()
    }
}
