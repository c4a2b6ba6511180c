package import VigilModel
package import VigilPorts

/// A relational store that raises a signal after each commit, so that the projector need not poll.
package struct SignallingStore: RelationalStore {
    private let base: any RelationalStore
    private let signal: CommitSignal

    package init(_ base: any RelationalStore, signal: CommitSignal) {
        self.base = base
        self.signal = signal
    }

    package var dialect: any SQLDialect { base.dialect }

    package func write<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        let result = try await base.write(in: scope, body)
        signal.raise()
        return result
    }

    package func read<Result: Sendable>(
        in scope: AccessScope, _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        try await base.read(in: scope, body)
    }

    package func outbox(after position: OutboxPosition, limit: Int) async throws -> [OutboxEntry] {
        try await base.outbox(after: position, limit: limit)
    }

    package func close() async { await base.close() }
}
