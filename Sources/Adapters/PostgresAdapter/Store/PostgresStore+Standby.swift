import ConnectionKit
import Synchronization
package import VigilModel
package import VigilPorts

/// How far this process has written the server's log: what a standby must have replayed to answer for us.
final class CommittedPosition: Sendable {
    private let value = Atomic<UInt64>(0)

    var current: UInt64 { value.load(ordering: .acquiring) }

    /// Reads `16/B374D848`, and keeps it when it is further.
    func note(_ text: String) {
        let parts = text.split(separator: "/").compactMap { UInt64($0, radix: 16) }
        guard parts.count == 2 else { return }
        value.max(parts[0] << 32 | parts[1], ordering: .acquiringAndReleasing)
    }

    static func text(_ position: UInt64) -> String {
        String(position >> 32, radix: 16) + "/" + String(position & 0xffff_ffff, radix: 16)
    }
}

extension PostgresStore {
    /// How often a standby that has not caught up is asked again before the primary is.
    private static let standbyRounds = 4

    package func read<Result: Sendable>(
        _ freshness: ReadFreshness, in scope: AccessScope,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result {
        if freshness == .recent, let replicas, let result = try await standbyRead(replicas, scope, body) {
            return result
        }
        return try await read(in: scope, body)
    }

    /// - Returns: `nil` when no standby answers, or none has caught up with what this process wrote.
    private func standbyRead<Result: Sendable>(
        _ replicas: ConnectionPool<PostgresConnection>, _ scope: AccessScope,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> Result
    ) async throws -> Result? {
        let position = committed.current
        for _ in 0..<Self.standbyRounds {
            switch await attempt(replicas, scope, .read, body, after: position) {
            case .done(let result, _): return result
            case .thrown(let error): throw error
            case .behind: try await pause(.milliseconds(3))
            // Replaying the log may end a read: it is run again.
            case .failed(let failure) where failure.isSerialization: continue
            case .failed(let failure):
                if failure.kind == .cancelled { throw failure.storeError }
                replicas.closeIdle()
                return nil
            case .unknown: return nil
            }
        }
        return nil
    }

    /// Whether the server has everything up to `position`; one that has taken over has all there is.
    static func hasReplayed(_ position: UInt64, _ wire: Wire) throws(PostgresFailure) -> Bool {
        let request = WireRequest(
            "SELECT NOT pg_is_in_recovery() OR coalesce(pg_last_wal_replay_lsn() >= CAST($1 AS text)::pg_lsn, false)",
            [.text(CommittedPosition.text(position))])
        return try wire.run([request]).last?.rows.first?.first == .boolean(true)
    }
}
