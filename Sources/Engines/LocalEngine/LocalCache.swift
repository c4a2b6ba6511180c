import DequeModule
package import VigilModel
package import VigilPorts

/// A cache in the memory of this process, with a limit on its bytes.
///
/// When it is full, values that nobody asked for lately make room (the clock algorithm: Corbató, 1968).
package actor LocalCache: Cache {
    private struct Entry {
        var value: [UInt8]
        var end: Timestamp
        /// Which insertion it came with: places in the ring of earlier ones are void.
        let generation: Int
        var wasUsed: Bool
    }

    private let clock: any TimeSource
    private let byteLimit: Int
    private var entries: [String: Entry] = [:]
    private var ring: Deque<(key: String, generation: Int)> = []
    private var byteCount = 0
    private var generation = 0

    /// What an entry costs besides its key and value.
    private static let overhead = 128

    package init(clock: any TimeSource, byteLimit: Int = 64 << 20) {
        self.clock = clock
        self.byteLimit = byteLimit
    }

    package func value(of key: String) async throws(StoreError) -> [UInt8]? {
        try Self.check(key)
        return present(key)?.value
    }

    package func set(_ key: String, to value: [UInt8], for life: Span) async throws(StoreError) {
        try Self.check(key)
        try store(key, value, until: clock.now() + life)
    }

    package func compareAndSet(
        _ key: String, from expected: [UInt8]?, to value: [UInt8], for life: Span
    ) async throws(StoreError) -> Bool {
        try Self.check(key)
        guard present(key)?.value == expected else { return false }
        try store(key, value, until: clock.now() + life)
        return true
    }

    package func add(_ amount: Int64, to key: String, for life: Span) async throws(StoreError) -> Int64 {
        try Self.check(key)
        let entry = present(key)
        guard let before = entry.map({ Int64(String(decoding: $0.value, as: UTF8.self)) }) ?? 0 else {
            throw StoreError(.invalid, "The value of this key is not a counter")
        }
        let (sum, overflow) = before.addingReportingOverflow(amount)
        guard !overflow else { throw StoreError(.limit, "A counter passed the largest number") }
        try store(key, Array(String(sum).utf8), until: entry?.end ?? clock.now() + life)
        return sum
    }

    package func remove(_ key: String) async throws(StoreError) {
        try Self.check(key)
        drop(key)
    }

    // MARK: Entries

    private static func check(_ key: String) throws(StoreError) {
        guard (1...512).contains(key.utf8.count) else {
            throw StoreError(.invalid, "A key has 1 to 512 bytes", details: ["bytes": String(key.utf8.count)])
        }
    }

    private func present(_ key: String) -> Entry? {
        guard let entry = entries[key] else { return nil }
        guard clock.now() < entry.end else {
            drop(key)
            return nil
        }
        entries[key]?.wasUsed = true
        return entry
    }

    private func store(_ key: String, _ value: [UInt8], until end: Timestamp) throws(StoreError) {
        let cost = Self.cost(key, value)
        guard cost <= byteLimit / 4 else {
            throw StoreError(.limit, "A value is too large for the cache", details: ["limit": String(byteLimit / 4)])
        }
        drop(key)
        while byteCount + cost > byteLimit { evictOne() }
        generation += 1
        entries[key] = Entry(value: value, end: end, generation: generation, wasUsed: false)
        ring.append((key, generation))
        byteCount += cost
        if ring.count > 2 * entries.count + 64 { ring.removeAll { entries[$0.key]?.generation != $0.generation } }
    }

    private func drop(_ key: String) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        byteCount -= Self.cost(key, entry.value)
    }

    private func evictOne() {
        guard let place = ring.popFirst() else { return }
        guard let entry = entries[place.key], entry.generation == place.generation else { return }
        if entry.wasUsed, clock.now() < entry.end {
            entries[place.key]?.wasUsed = false
            ring.append(place)
        } else {
            drop(place.key)
        }
    }

    private static func cost(_ key: String, _ value: [UInt8]) -> Int { key.utf8.count + value.count + overhead }
}
