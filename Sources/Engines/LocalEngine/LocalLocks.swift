package import VigilModel
package import VigilPorts

/// Locks among the tasks of this process.
package actor LocalLocks: Locks {
    private let clock: any TimeSource
    private let limit: Int
    private var held: [String: (fence: Int64, end: Timestamp)] = [:]
    private var lastFence: Int64 = 0

    package init(clock: any TimeSource, limit: Int = 100_000) {
        self.clock = clock
        self.limit = limit
    }

    package func acquire(_ resource: String, for life: Span) async throws(StoreError) -> Lease? {
        let now = clock.now()
        if let holder = held[resource], now < holder.end { return nil }
        if held.count >= limit { held = held.filter { now < $0.value.end } }
        guard held.count < limit else {
            throw StoreError(.limit, "Too many locks are held", details: ["limit": String(limit)])
        }
        // The time makes fences grow over a restart too, as what they guard may live on.
        lastFence = max(lastFence + 1, now.microseconds)
        held[resource] = (lastFence, now + life)
        return Lease(resource: resource, fence: lastFence)
    }

    package func renew(_ lease: Lease, for life: Span) async throws(StoreError) -> Bool {
        let now = clock.now()
        guard let holder = held[lease.resource], holder.fence == lease.fence, now < holder.end else { return false }
        held[lease.resource] = (holder.fence, now + life)
        return true
    }

    package func release(_ lease: Lease) async throws(StoreError) {
        if held[lease.resource]?.fence == lease.fence { held[lease.resource] = nil }
    }
}
