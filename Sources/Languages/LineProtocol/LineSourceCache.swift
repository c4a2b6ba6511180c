import Synchronization
package import VigilModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Remembers which source the bytes of a key mean, from one request to the next.
///
/// One cache serves the requests of one tenant under one set of naming rules; share it between any number of decoders. It
/// holds at most `capacity` keys: those that have not been asked for longest go first, half of them at a time.
package final class LineSourceCache: Sendable {
    private struct Entry: Sendable {
        let key: [UInt8]
        let source: SeriesSource

        func hasKey(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
            guard key.count == other.count, let base = other.baseAddress else { return false }
            return key.withUnsafeBytes { $0.baseAddress.map { memcmp($0, base, other.count) == 0 } ?? false }
        }
    }

    /// The hash of a key, which is mixed well already.
    private struct Hash: OpenTableKey {
        let bits: UInt64
        var mixed: Int { Int(truncatingIfNeeded: bits) }
    }

    private struct State: Sendable {
        var recent = OpenTable<Hash, Entry>()
        var older = OpenTable<Hash, Entry>()
        /// Keys of the older ones that are among the recent ones too.
        var renewedCount = 0
        var generation = 0

        mutating func keep(_ entry: Entry, _ hash: Hash, capacity: Int) {
            if recent.count >= capacity / 2 {
                older = recent
                recent = OpenTable()
                renewedCount = 0
            }
            recent.put(entry, for: hash)
        }
    }

    /// How many keys fit.
    package let capacity: Int
    /// Mixed into every hash, so that nobody can prepare keys that collide.
    let seed: UInt64
    private let state = Mutex(State())

    package init(capacity: Int = 200_000) {
        self.capacity = max(2, capacity)
        seed = UInt64.random(in: .min ... .max)
    }

    package var count: Int { state.withLock { $0.recent.count + $0.older.count - $0.renewedCount } }

    /// Forgets everything: devices were claimed, renamed or removed.
    ///
    /// A request that is being decoded meanwhile adds nothing that it found out before.
    package func removeAll() {
        state.withLock {
            $0.recent = OpenTable()
            $0.older = OpenTable()
            $0.renewedCount = 0
            $0.generation += 1
        }
    }

    /// Changes with every ``removeAll()``.
    var generation: Int { state.withLock { $0.generation } }

    func source(hash: UInt64, key: UnsafeBufferPointer<UInt8>) -> SeriesSource? {
        let hash = Hash(bits: hash)
        return state.withLock { state in
            if let place = state.recent.position(of: hash) {
                return state.recent[at: place].hasKey(key) ? state.recent[at: place].source : nil
            }
            guard let place = state.older.position(of: hash), state.older[at: place].hasKey(key) else { return nil }
            let entry = state.older[at: place]
            state.renewedCount += 1
            state.keep(entry, hash, capacity: capacity)
            return entry.source
        }
    }

    /// Keeps the source of a key, and returns the one that the key means from now on.
    ///
    /// That is another one when a request beside this one was first: a key has one object, because every stage behind
    /// the decoder looks up by it.
    func remember(
        _ source: SeriesSource, hash: UInt64, key: UnsafeBufferPointer<UInt8>, generation: Int
    ) -> SeriesSource {
        let entry = Entry(key: Array(key), source: source)
        return state.withLock { state in
            guard state.generation == generation else { return source }
            let hash = Hash(bits: hash)
            if let known = state.recent[hash], known.hasKey(key) { return known.source }
            state.keep(entry, hash, capacity: capacity)
            return source
        }
    }
}

/// What a resolver found for a key.
package enum LineResolution: Sendable {
    /// The source of this key from now on: later requests do not ask again.
    case keep(SeriesSource)
    /// The source for this request only: the device is not settled yet, so the next request asks again.
    case once(SeriesSource)
}
