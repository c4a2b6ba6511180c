import Synchronization
import VigilModel
import VigilPorts

/// A relational store that counts the statements that go through it.
final class CountingStore: RelationalStore {
    private let store: any RelationalStore
    let count = Counter()

    init(_ store: any RelationalStore) { self.store = store }

    var dialect: any SQLDialect { store.dialect }

    func write<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        let count = count
        return try await store.write(in: scope) { try body(CountingTransaction(transaction: $0, count: count)) }
    }

    func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        let count = count
        return try await store.read(in: scope) { try body(CountingTransaction(transaction: $0, count: count)) }
    }

    func outbox(after position: OutboxPosition, limit: Int) async throws -> [OutboxEntry] {
        try await store.outbox(after: position, limit: limit)
    }

    func outboxArrivals() -> AsyncStream<Void> { store.outboxArrivals() }
    func close() async { await store.close() }
}

final class Counter: Sendable {
    private let number = Mutex(0)
    func add() { number.withLock { $0 += 1 } }
    func take() -> Int {
        number.withLock { number in
            defer { number = 0 }
            return number
        }
    }
}

struct CountingTransaction: SQLTransaction {
    let transaction: any SQLTransaction
    let count: Counter

    var dialect: any SQLDialect { transaction.dialect }
    var scope: AccessScope { transaction.scope }

    func rows(_ sql: SQL) throws -> [SQLRow] {
        count.add()
        return try transaction.rows(sql)
    }

    func forEachRow(_ sql: SQL, _ visit: (SQLRow) throws -> Bool) throws {
        count.add()
        try transaction.forEachRow(sql, visit)
    }

    func execute(_ sql: SQL) throws -> Int {
        count.add()
        return try transaction.execute(sql)
    }

    func insert(
        into table: StaticString, columns: [StaticString], rows: some Collection<[SQLValue]>, conflict: SQL?
    ) throws -> Int {
        count.add()
        return try transaction.insert(into: table, columns: columns, rows: rows, conflict: conflict)
    }

    func appendToOutbox(_ message: OutboxMessage) throws {
        count.add()
        try transaction.appendToOutbox(message)
    }
}
