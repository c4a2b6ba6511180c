import Synchronization

/// Tells whoever waits that something came into the outbox.
///
/// A signal says only that there is something: many signals that nobody has taken yet are one.
package final class ArrivalSignals: Sendable {
    private let listeners = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])
    private let count = Atomic<Int>(0)

    package init() {}

    /// Gives an element whenever something came since the last was taken; ends with ``finish()``.
    package func stream() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = count.add(1, ordering: .relaxed).newValue
        listeners.withLock { $0[number] = continuation }
        continuation.onTermination = { [weak self] _ in
            self?.listeners.withLock { $0[number] = nil }
        }
        return stream
    }

    package func signal() {
        let all = listeners.withLock { Array($0.values) }
        for continuation in all { continuation.yield() }
    }

    /// Ends all streams.
    package func finish() {
        let all = listeners.withLock { listeners in
            defer { listeners = [:] }
            return Array(listeners.values)
        }
        for continuation in all { continuation.finish() }
    }
}
