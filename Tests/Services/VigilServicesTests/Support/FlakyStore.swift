import Synchronization
import VigilModel
import VigilPorts

/// A relational store whose writes can be made to fail, as those of a process that dies before it commits.
final class FlakyStore: RelationalStore {
    private let store: any RelationalStore
    private let fails = Mutex(false)

    init(_ store: any RelationalStore) { self.store = store }

    func setFailing(_ value: Bool) { fails.withLock { $0 = value } }

    var dialect: any SQLDialect { store.dialect }

    func write<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        if fails.withLock({ $0 }) { throw StoreError(.unavailable, "the test has pulled the plug") }
        return try await store.write(in: scope, body)
    }

    func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result { try await store.read(in: scope, body) }

    func outbox(after position: OutboxPosition, limit: Int) async throws -> [OutboxEntry] {
        try await store.outbox(after: position, limit: limit)
    }

    func close() async { await store.close() }
}
