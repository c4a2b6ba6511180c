import ConnectionKit
import VigilPorts

/// A commit that was sent, and whose answer was lost.
struct PendingCommit: Sendable, Hashable {
    /// The transaction's number.
    let number: Int64
    /// Where it was sent.
    let server: ServerIdentity
}

extension PostgresStore {
    /// Finds out what became of a commit: asks the server that took it, as soon as it answers again.
    ///
    /// - Returns: Whether it happened. When it did not, the body may run again.
    /// - Throws: `uncertain` when another server has taken over, where the number may mean another transaction, or when
    ///   nobody answered in time.
    func resolve(_ commit: PendingCommit, until giveUp: ContinuousClock.Instant) async throws -> Bool {
        let committed = committed
        while true {
            do {
                let answer = try await primary.withConnection { connection in
                    try await connection.use { wire in try Self.status(of: commit, on: wire, committed) }
                }
                if let answer { return answer }
            } catch let error as StoreError {
                throw error
            } catch {
                let failure = Self.failure(error)
                guard failure.isConnectionLoss || failure.isSerialization else { throw Self.uncertain }
            }
            guard .now < giveUp else { throw Self.uncertain }
            primary.closeIdle()
            try await pause(.milliseconds(100))
        }
    }

    /// `nil` while the transaction still runs.
    private static func status(of commit: PendingCommit, on wire: Wire, _ committed: CommittedPosition) throws -> Bool?
    {
        guard wire.server.system == commit.server.system, wire.server.timeline == commit.server.timeline else {
            throw uncertain
        }
        let request = WireRequest(
            "SELECT pg_xact_status(CAST($1 AS text)::xid8), pg_current_wal_insert_lsn()::text",
            [.text(String(commit.number))])
        let row = try wire.run([request]).last?.rows.first
        switch row?.first {
        case .text("committed"):
            if case .text(let position)? = row?.last { committed.note(position) }
            return true
        case .text("aborted"): return false
        case .text("in progress"): return nil
        default: throw uncertain
        }
    }

    private static var uncertain: StoreError {
        StoreError(.uncertain, "The answer to a commit was lost: it is not known whether it happened")
    }
}
