import Synchronization
package import VigilPorts

/// Publish and subscribe among the tasks of this process.
package final class LocalBus: Bus {
    private typealias Continuation = AsyncStream<BusMessage>.Continuation

    private struct State {
        /// Subscribers by exact topic, and by prefix.
        var topics: [String: [Int: Continuation]] = [:]
        var prefixes: [String: [Int: Continuation]] = [:]
        /// How many prefixes have which length in bytes, so that a topic is looked up by each length and not by each prefix.
        var lengths: [Int: Int] = [:]
        var count = 0
        var lastNumber = 0
    }

    private let state = Mutex(State())
    private let subscriberLimit: Int
    private let payloadLimit: Int

    package init(subscriberLimit: Int = 100_000, payloadLimit: Int = 1 << 20) {
        self.subscriberLimit = subscriberLimit
        self.payloadLimit = payloadLimit
    }

    package func publish(_ message: BusMessage) async throws(StoreError) {
        guard message.payload.count <= payloadLimit else {
            throw StoreError(.limit, "A message is too large", details: ["limit": String(payloadLimit)])
        }
        // Yielding under the lock keeps the order within a topic; it never waits for a subscriber.
        let late = state.withLock { state in
            var late: [Continuation] = []
            Self.yield(message, to: state.topics[message.topic], late: &late)
            for length in state.lengths.keys where length <= message.topic.utf8.count {
                let prefix = String(decoding: message.topic.utf8.prefix(length), as: UTF8.self)
                Self.yield(message, to: state.prefixes[prefix], late: &late)
            }
            return late
        }
        // Outside the lock, because finishing calls `remove`.
        for continuation in late { continuation.finish() }
    }

    private static func yield(_ message: BusMessage, to subscribers: [Int: Continuation]?, late: inout [Continuation]) {
        guard let subscribers else { return }
        for continuation in subscribers.values {
            if case .dropped = continuation.yield(message) { late.append(continuation) }
        }
    }

    package func subscribe(_ pattern: String, buffer: Int) async throws(StoreError) -> AsyncStream<BusMessage> {
        guard !pattern.isEmpty, buffer > 0, !pattern.dropLast().contains("*") else {
            throw StoreError(.invalid, "A pattern is a topic, or a prefix that ends in *")
        }
        let (stream, continuation) = AsyncStream.makeStream(
            of: BusMessage.self, bufferingPolicy: .bufferingOldest(buffer))
        let number = state.withLock { state -> Int? in
            guard state.count < subscriberLimit else { return nil }
            state.count += 1
            state.lastNumber += 1
            if pattern.hasSuffix("*") {
                let prefix = String(pattern.dropLast())
                if state.prefixes[prefix] == nil { state.lengths[prefix.utf8.count, default: 0] += 1 }
                state.prefixes[prefix, default: [:]][state.lastNumber] = continuation
            } else {
                state.topics[pattern, default: [:]][state.lastNumber] = continuation
            }
            return state.lastNumber
        }
        guard let number else {
            throw StoreError(.limit, "Too many subscribers", details: ["limit": String(subscriberLimit)])
        }
        continuation.onTermination = { [weak self] _ in self?.remove(number, pattern) }
        return stream
    }

    private func remove(_ number: Int, _ pattern: String) {
        state.withLock { state in
            if pattern.hasSuffix("*") {
                let prefix = String(pattern.dropLast())
                guard state.prefixes[prefix]?.removeValue(forKey: number) != nil else { return }
                if state.prefixes[prefix]?.isEmpty == true {
                    state.prefixes[prefix] = nil
                    let length = prefix.utf8.count
                    state.lengths[length] = (state.lengths[length] ?? 1) > 1 ? (state.lengths[length] ?? 1) - 1 : nil
                }
            } else {
                guard state.topics[pattern]?.removeValue(forKey: number) != nil else { return }
                if state.topics[pattern]?.isEmpty == true { state.topics[pattern] = nil }
            }
            state.count -= 1
        }
    }
}
