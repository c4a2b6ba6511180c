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

    private struct State: Sendable {
        var recent: [UInt64: Entry] = [:]
        var older: [UInt64: Entry] = [:]
        var generation = 0
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

    package var count: Int { state.withLock { $0.recent.count + $0.older.count } }

    /// Forgets everything: devices were claimed, renamed or removed.
    ///
    /// A request that is being decoded meanwhile adds nothing that it found out before.
    package func removeAll() {
        state.withLock {
            $0.recent = [:]
            $0.older = [:]
            $0.generation += 1
        }
    }

    /// Changes with every ``removeAll()``.
    var generation: Int { state.withLock { $0.generation } }

    func source(hash: UInt64, key: UnsafeBufferPointer<UInt8>) -> SeriesSource? {
        state.withLock { state in
            if let entry = state.recent[hash] { return entry.hasKey(key) ? entry.source : nil }
            guard let entry = state.older[hash], entry.hasKey(key) else { return nil }
            state.older[hash] = nil
            insert(entry, hash: hash, into: &state)
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
            if let known = state.recent[hash], known.hasKey(key) { return known.source }
            insert(entry, hash: hash, into: &state)
            return source
        }
    }

    private func insert(_ entry: Entry, hash: UInt64, into state: inout State) {
        if state.recent.count >= capacity / 2 {
            state.older = state.recent
            state.recent = [:]
        }
        state.recent[hash] = entry
    }
}

/// What a resolver found for a key.
package enum LineResolution: Sendable {
    /// The source of this key from now on: later requests do not ask again.
    case keep(SeriesSource)
    /// The source for this request only: the device is not settled yet, so the next request asks again.
    case once(SeriesSource)
}
