import Synchronization
import VigilModel
package import VigilPorts

/// A kind of relational store under test.
package struct DatabaseSubject: Sendable {
    /// `sqlite`, `postgresql 17`: the name in `stores.json`.
    package let name: String
    /// Opens a store on a database of its own that is empty, with a limit of ``rowLimit`` rows.
    package let fresh: @Sendable () async throws -> (store: any RelationalStore, migrator: any SchemaMigrator)

    /// The limit of rows with which `fresh` must open stores.
    package static let rowLimit = 1000

    package init(
        _ name: String,
        fresh: @escaping @Sendable () async throws -> (store: any RelationalStore, migrator: any SchemaMigrator)
    ) {
        self.name = name
        self.fresh = fresh
    }

    /// Runs `body` on a store that has the tables of the contract, and closes it.
    func inRoom(_ body: (DatabaseRoom) async throws -> Void) async throws {
        let (store, migrator) = try await fresh()
        do {
            _ = try await migrator.up([.outbox, DatabaseRoom.tables], to: nil, dryRun: false)
            try await body(DatabaseRoom(store: store, migrator: migrator))
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

/// A store with the tables of the contract, and short words for what clauses do.
struct DatabaseRoom: Sendable {
    let store: any RelationalStore
    let migrator: any SchemaMigrator

    var dialect: any SQLDialect { store.dialect }
    static let scope = SystemScope.allTenants("holding a store to its contract")
    static let time = Timestamp(seconds: 1_700_000_000)

    static let tables = Migration(
        number: 2, name: "contract",
        up: """
            CREATE TABLE parents (
                id     {{int}} PRIMARY KEY,
                note   {{text}},
                name   {{text}} UNIQUE CHECK (name <> 'forbidden'),
                amount {{int}} NOT NULL DEFAULT 0,
                ratio  {{real}},
                flag   {{bool}},
                body   {{json}},
                raw    {{bytes}}
            ) {{strict}};
            CREATE TABLE children (
                id        {{int}} PRIMARY KEY,
                parent_id {{int}} NOT NULL REFERENCES parents (id)
            ) {{strict}};
            CREATE INDEX children_parent ON children (parent_id);
            """,
        down: "DROP TABLE children; DROP TABLE parents;")

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await store.write(in: Self.scope, body)
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await store.read(in: Self.scope, body)
    }

    /// Runs one statement in a transaction of its own.
    @discardableResult
    func run(_ sql: SQL) async throws -> Int {
        try await write { try $0.execute(sql) }
    }

    /// The first column of the result.
    func column<Value: SQLConvertible>(_ sql: SQL, as type: Value.Type = Value.self) async throws -> [Value?] {
        try await read { transaction in
            try transaction.rows(sql).map { try $0.optional($0.columns[0]) }
        }
    }

    /// The outbox, as soon as it shows `count` entries: older transactions of others on the same server hold them back.
    func settledOutbox(_ count: Int) async throws -> [OutboxEntry] {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while true {
            let entries = try await store.outbox(after: .start, limit: 100)
            if entries.count >= count || clock.now > end { return entries }
            await Task.yield()
        }
    }

    /// Adds parents 1, 2, 3, … with these names.
    func addParents(_ names: [String?]) async throws {
        _ = try await write { transaction in
            try transaction.insert(
                into: "parents", columns: ["id", "name"],
                rows: names.enumerated().map { [.integer(Int64($0.offset + 1)), $0.element?.sqlValue ?? .null] },
                conflict: nil)
        }
    }

    static func message(_ id: String, number: Int64 = 0) -> OutboxMessage {
        OutboxMessage(
            tenant: nil, type: "thing.changed", aggregate: "thing", aggregateID: id,
            data: .object(["number": .integer(number)]), time: time)
    }
}

/// Something a body of a transaction and a test tell each other: bodies are synchronous, so they look again and again.
final class Signal: Sendable {
    private let isSet = Mutex(false)

    var isDone: Bool { isSet.withLock { $0 } }

    func set() { isSet.withLock { $0 = true } }

    /// Blocks the thread of a transaction's body until the signal is set or a third of a second has passed.
    func waitBriefly() {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(300)
        while !isSet.withLock({ $0 }), clock.now < end {}
    }

    /// Suspends until the signal is set.
    func wait() async throws {
        while !isSet.withLock({ $0 }) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
