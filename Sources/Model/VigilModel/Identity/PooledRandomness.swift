import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The system's random numbers, fetched 32 at a time: asking for each takes a call of the system, and every request and
/// every batch has an identifier.
struct PooledRandomness: RandomNumberGenerator {
    private static let pool = Mutex<[UInt64]>([])
    private static let count = 32

    func next() -> UInt64 {
        Self.pool.withLock { words in
            if let word = words.popLast() { return word }
            words = Self.fetch()
            return words.removeLast()
        }
    }

    private static func fetch() -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: count) { buffer, filled in
            // It fails for more bytes than 256 only.
            let code = getentropy(buffer.baseAddress, count * 8)
            precondition(code == 0, "BUG: more random bytes were asked for than the system gives at once")
            filled = count
        }
    }
}
