import VigilModel
import VigilPorts

extension IdentityService {
    private static let resetInterval = Span.milliseconds(200)
    private static let writeInterval = Span.seconds(30)
    private static let pruneInterval = Span.hours(1)

    /// Sends links, hears what other processes changed, writes down when sessions and tokens were last used, and removes
    /// what has ended, until the task is cancelled.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.sendResets() }
            group.addTask { try await self.hearChanges() }
            group.addTask { try await self.repeatedly(Self.writeInterval) { try await self.writeUses() } }
            group.addTask { try await self.repeatedly(Self.pruneInterval) { try await self.prune() } }
            try await group.waitForAll()
        }
    }

    private func sendResets() async throws {
        while true {
            try await clock.wait(for: Self.resetInterval)
            // What cannot be sent now is asked for again; the next one is not held up by it.
            while (try? await sendNextReset()) == true {}
        }
    }

    private func hearChanges() async throws {
        while !Task.isCancelled {
            for await message in try await stores.bus.subscribe(Self.forgottenTopic, buffer: 1_024) {
                guard let item = Forgotten(String(decoding: message.payload, as: UTF8.self)) else { continue }
                await cache.forget { item.concerns($0) }
            }
            // Nobody knows what was missed.
            if !Task.isCancelled { await cache.forget { _ in true } }
        }
    }

    private func repeatedly(_ interval: Span, _ body: @Sendable () async throws -> Void) async throws {
        while true {
            try await clock.wait(for: interval)
            do {
                try await body()
            } catch is StoreError {
                // The store is away; the next turn does it.
                continue
            }
        }
    }

    /// Writes down when sessions and tokens were last used.
    package func writeUses() async throws {
        let uses = await cache.takeUses()
        guard !uses.isEmpty else { return }
        try await stores.relational.write(in: Self.everywhere) { transaction in
            for use in uses {
                switch use.owner {
                case .session(let id):
                    try transaction.execute(
                        """
                        UPDATE sessions SET last_used_at = \(use.time)
                        WHERE id = \(id) AND last_used_at < \(use.time)
                        """)
                case .token(let id):
                    try transaction.execute(
                        """
                        UPDATE tokens SET last_used_at = \(use.time), last_address = \(use.address)
                        WHERE id = \(id) AND (last_used_at IS NULL OR last_used_at < \(use.time))
                        """)
                }
            }
        }
    }

    /// Removes what has ended: old failures, links, spent refresh tokens, and sessions a week after their end.
    package func prune() async throws {
        let now = clock.now()
        let attempts = attempts
        let old = now - .days(7)
        try await stores.relational.write(in: Self.everywhere) { transaction in
            try attempts.prune(now: now, transaction)
            try transaction.execute("DELETE FROM password_resets WHERE expires_at < \(old)")
            try transaction.execute("DELETE FROM invitations WHERE expires_at < \(old)")
            try transaction.execute("DELETE FROM sessions WHERE expires_at < \(old)")
            try transaction.execute("DELETE FROM sessions WHERE revoked_at < \(old)")
        }
    }
}
