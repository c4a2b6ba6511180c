package import VigilModel

/// Values that may be lost at any moment, by key, each with an end.
///
/// Keys are 1 to 512 bytes. A value past its end is absent. Nothing here is the truth of anything.
package protocol Cache: Sendable {
    /// The value, or `nil` when there is none or its time has passed.
    func value(of key: String) async throws(StoreError) -> [UInt8]?
    /// Stores a value for `life`; it replaces an earlier one, with its end.
    func set(_ key: String, to value: [UInt8], for life: Span) async throws(StoreError)
    /// Stores `value` only when the present value is `expected` (`nil`: only when there is none). Returns whether it did.
    func compareAndSet(_ key: String, from expected: [UInt8]?, to value: [UInt8], for life: Span)
        async throws(StoreError) -> Bool
    /// Adds to a counter, which starts at 0, and returns the sum. The end is set when the counter is made and kept after.
    func add(_ amount: Int64, to key: String, for life: Span) async throws(StoreError) -> Int64
    /// Removing what is not there is no error.
    func remove(_ key: String) async throws(StoreError)
}

/// A right to do something alone, for a while.
package struct Lease: Sendable, Hashable {
    package let resource: String
    /// Grows with every lease of the resource: whoever is guarded by the lock refuses a lower one than it has seen.
    package let fence: Int64

    package init(resource: String, fence: Int64) {
        self.resource = resource
        self.fence = fence
    }
}

/// Locks with an end and a fencing number.
package protocol Locks: Sendable {
    /// Takes the lock for `life`, or returns `nil` when somebody else has it.
    func acquire(_ resource: String, for life: Span) async throws(StoreError) -> Lease?
    /// Prolongs a lease from now. Returns false when it was lost.
    func renew(_ lease: Lease, for life: Span) async throws(StoreError) -> Bool
    /// Gives the lock back. A lease that was lost releases nothing.
    func release(_ lease: Lease) async throws(StoreError)
}

/// What a rate limit says of one more call.
package struct RateDecision: Sendable, Hashable {
    package let isAllowed: Bool
    /// How many more calls would be allowed now.
    package let remaining: Int
    /// When a refused caller may try again; zero when allowed.
    package let retryAfter: Span

    package init(isAllowed: Bool, remaining: Int, retryAfter: Span) {
        self.isAllowed = isAllowed
        self.remaining = remaining
        self.retryAfter = retryAfter
    }
}

/// Limits of how often something may happen.
package protocol RateLimits: Sendable {
    /// Counts one call and says whether it is within `limit` calls in any window as long as `window` (sliding). A refused
    /// call is not counted.
    func admit(_ key: String, limit: Int, per window: Span) async throws(StoreError) -> RateDecision
}

/// A message to whoever listens now.
package struct BusMessage: Sendable, Hashable {
    package let topic: String
    package let payload: [UInt8]

    package init(topic: String, payload: [UInt8]) {
        self.topic = topic
        self.payload = payload
    }
}

/// Publish and subscribe, at most once, in order within a topic.
package protocol Bus: Sendable {
    /// Returns when the message is on its way; nobody has to listen.
    func publish(_ message: BusMessage) async throws(StoreError)
    /// Messages of the topics that `pattern` names: an exact topic, or a prefix that ends in `*`.
    ///
    /// The subscription stands when this returns. A subscriber that falls more than `buffer` messages behind is ended:
    /// its stream finishes, and it subscribes anew.
    func subscribe(_ pattern: String, buffer: Int) async throws(StoreError) -> AsyncStream<BusMessage>
}
