package import VigilModel
import VigilPorts

extension LiveHub {
    /// How long somebody can hear what they may not any more, when nothing said that it changed: an access token that
    /// ended, a place that was assigned to somebody else.
    package static let recheckInterval = Span.seconds(15)

    func recheckNowAndThen() async throws {
        while true {
            try await clock.wait(for: Self.recheckInterval)
            recheck.yield()
        }
    }

    /// Asks of everybody who listens what they may do and see now: they hear that from here on, or are let go.
    package func recheckAll() async {
        for principal in Set(listeners.values.flatMap { $0.values.map(\.principal) }) {
            do {
                apply(try await current(principal), to: principal)
            } catch {
                // The store is away: nothing is known to have changed.
                continue
            }
        }
    }

    private func apply(_ now: Principal?, to principal: Principal) {
        for (tenant, group) in listeners {
            for (id, listener) in group where listener.principal == principal {
                if let now, now.tenant == principal.tenant {
                    listeners[tenant]?[id]?.principal = now
                } else {
                    end(listener, .revoked)
                    listeners[tenant]?[id] = nil
                    if listeners[tenant]?.isEmpty == true { listeners[tenant] = nil }
                }
            }
        }
    }
}
