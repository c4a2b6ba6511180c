import Foundation
import VigilModel
package import VigilPorts

/// Carries the outbox to the bus, in order: `live.<tenant>`, and `live.-` for what belongs to no tenant.
///
/// It wakes when a commit is signalled, and looks by itself every ``pollInterval`` for what other processes committed.
/// The position is kept in `consumer_cursors`, at most ``saveInterval`` behind: after a crash some messages are published
/// again, which listeners recognise by their sequence.
package actor Projector {
    package static let consumer = "live"
    static let pollInterval = Span.seconds(1)
    static let saveInterval = Span.seconds(5)
    static let batchSize = 500

    private let stores: Stores
    private let clock: any TimeSource
    private let signal: CommitSignal
    private var position = OutboxPosition.start
    private var saved = OutboxPosition.start
    private var savedAt = Timestamp.distantPast

    package init(stores: Stores, clock: any TimeSource, signal: CommitSignal) {
        self.stores = stores
        self.clock = clock
        self.signal = signal
    }

    /// The last position that was published.
    package var published: OutboxPosition { position }

    /// Publishes until the task is cancelled.
    package func run() async throws {
        try await load()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [clock, signal] in
                while true {
                    signal.raise()
                    try await clock.wait(for: Self.pollInterval)
                }
            }
            for await _ in signal.stream {
                try await drainThroughFaults()
                if Task.isCancelled { break }
            }
            group.cancelAll()
        }
        try? await save()
    }

    /// A store that is away is asked again at the next signal.
    private func drainThroughFaults() async throws {
        do {
            try await drain()
        } catch let error as StoreError where error.isTransient {
            return
        }
    }

    /// Publishes what is there.
    package func drain() async throws {
        while true {
            let entries = try await stores.relational.outbox(after: position, limit: Self.batchSize)
            guard let last = entries.last else { break }
            for entry in entries {
                let tenant = entry.message.tenant?.description ?? "-"
                let payload = Array(try JSONEncoder().encode(LiveEnvelope(OutboxEntryContent(entry))))
                try await stores.bus.publish(BusMessage(topic: "live.\(tenant)", payload: payload))
            }
            position = last.position
        }
        if position != saved, clock.now() - savedAt >= Self.saveInterval { try await save() }
    }

    private func load() async throws {
        let row = try await stores.relational.read(in: SystemScope.allTenants("projection")) { transaction in
            try transaction.rows("SELECT position FROM consumer_cursors WHERE consumer = \(Self.consumer)").first?
                .get("position", as: Int64.self)
        }
        position = OutboxPosition(rawValue: row ?? 0)
        saved = position
    }

    private func save() async throws {
        let position = position
        let now = clock.now()
        _ = try await stores.relational.write(in: SystemScope.allTenants("projection")) { transaction in
            try transaction.execute(
                """
                INSERT INTO consumer_cursors (consumer, position, updated) VALUES (\(Self.consumer), \(position.rawValue), \(now))
                ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, updated = excluded.updated
                """)
        }
        saved = position
        savedAt = now
    }
}

extension OutboxEntryContent {
    init(_ entry: OutboxEntry) {
        self.init(
            position: entry.position.rawValue, type: entry.message.type, aggregate: entry.message.aggregate,
            aggregateID: entry.message.aggregateID, device: entry.message.device, data: entry.message.data,
            time: entry.message.time)
    }
}
