import Synchronization

extension ConnectionPool {
    /// Waits in line with `ticket` until a connection, or the right to open one, is handed over.
    func wait(_ ticket: UInt64) async throws -> PoolState<Connection>.Turn {
        defer { state.withLock { $0.finish(ticket) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = clock.now()
                let entry = state.withLock {
                    $0.stand(ticket, continuation, deadline: now + settings.waitTimeout, settings: settings, now: now)
                }
                switch entry {
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .refused(let failure): continuation.resume(throwing: failure)
                case .turn(let turn): continuation.resume(returning: turn)
                case .waiting(let first): if first { watchDeadlines() }
                }
            }
        } onCancel: {
            state.withLock { $0.leave(ticket) }?.resume(throwing: CancellationError())
        }
    }

    /// One task for all who wait: their deadlines are in the order of the line.
    private func watchDeadlines() {
        Task { [weak self] in
            while let self, let deadline = self.state.withLock({ $0.nextDeadline() }) {
                try await self.clock.wait(until: deadline)
                let late = self.state.withLock { $0.removeLate(now: self.clock.now()) }
                for waiter in late { waiter.resume(throwing: PoolFailure.timeout) }
            }
        }
    }
}
