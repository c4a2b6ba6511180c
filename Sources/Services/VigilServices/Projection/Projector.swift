import VigilModel
package import VigilPorts

/// Carries the outbox to the bus, in order: `live.<tenant>`, and `live.-` for what belongs to no tenant.
///
/// It wakes when the store says that something came, and looks by itself every ``pollInterval`` for what other processes committed.
/// The position is kept in `consumer_cursors`, at most ``saveInterval`` behind: after a crash some messages are published
/// again, which listeners recognise by their sequence.
package actor Projector {
    package static let consumer = "live"
    static let pollInterval = Span.seconds(1)
    static let saveInterval = Span.seconds(5)
    static let batchSize = 500

    private let stores: Stores
    private let clock: any TimeSource
    private let arrivals = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private var position = OutboxPosition.start
    private var saved = OutboxPosition.start
    private var isLoaded = false
    private var savedAt = Timestamp.distantPast

    package init(stores: Stores, clock: any TimeSource) {
        self.stores = stores
        self.clock = clock
    }

    /// The last position that was published.
    package var published: OutboxPosition { position }

    /// Reads where publishing goes on, unless that is known, and gives the position that it is at.
    func start() async throws -> OutboxPosition {
        if !isLoaded { try await load() }
        return position
    }

    /// Publishes until the task is cancelled.
    package func run() async throws {
        _ = try await start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let wake = arrivals.continuation
            group.addTask { [clock] in
                while true {
                    wake.yield()
                    try await clock.wait(for: Self.pollInterval)
                }
            }
            group.addTask { [stores] in
                for await _ in stores.relational.outboxArrivals() { wake.yield() }
            }
            for await _ in arrivals.stream {
                try await drainThroughFaults()
                if Task.isCancelled { break }
            }
            group.cancelAll()
        }
        try? await save()
    }

    /// A store that is away is asked again at the next arrival.
    private func drainThroughFaults() async throws {
        do {
            try await drain()
        } catch let error as StoreError where error.mayBeTriedAgain {
            return
        }
    }

    /// Publishes what is there.
    func drain() async throws {
        while true {
            let entries = try await stores.relational.outbox(after: position, limit: Self.batchSize)
            guard let last = entries.last else { break }
            for entry in entries {
                let tenant = entry.message.tenant?.description ?? "-"
                let payload = LiveEnvelope(OutboxEntryContent(entry)).busPayload
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
        // Somebody else may have asked for it meanwhile, and publishing begun.
        guard !isLoaded else { return }
        isLoaded = true
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
                WHERE consumer_cursors.position < excluded.position
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
