import Foundation
import VigilModel
package import VigilPorts

/// Gives each listener the live messages that it asked for and may hear.
///
/// It hears the bus once for all listeners: `live.*` from the projector and `readings.*` from ingest. A listener that
/// falls ``bufferedMessages`` behind is let go, so that it costs nobody else anything; it comes back and resumes.
package actor LiveHub {
    package static let bufferedMessages = 512
    package static let patternsPerListener = 64
    /// A listener that missed more than this is told to read everything anew.
    static let replayedMessages = 1_000
    private static let busBuffer = 8_192

    let stores: Stores
    let clock: any TimeSource
    /// What somebody may do and see now; `nil` when they may not listen any more.
    let current: @Sendable (Principal) async throws -> Principal?
    /// Who publishes on the bus of this process; `nil` where that is another process.
    private let projector: Projector?
    private let audience: LiveAudience?
    var listeners: [TenantID: [LiveSession.ID: LiveListener]] = [:] {
        didSet {
            knownHearing = nil
            audience?.set(!listeners.isEmpty)
        }
    }
    /// Whether anybody hears readings, as long as the listeners stay the same.
    private var knownHearing: Bool?
    private var nextID: LiveSession.ID = 1
    private var isStopped = false
    /// Wakes ``recheckAll()``.
    let rechecks: AsyncStream<Void>
    let recheck: AsyncStream<Void>.Continuation
    /// The last position heard from the projector.
    private(set) var sequence: Int64 = 0

    /// - Parameters:
    ///   - audience: Told whether anybody listens.
    ///   - current: Asked again and again of everybody who listens.
    package init(
        stores: Stores, clock: any TimeSource, projector: Projector? = nil, audience: LiveAudience? = nil,
        current: @escaping @Sendable (Principal) async throws -> Principal? = { $0 }
    ) {
        self.stores = stores
        self.clock = clock
        self.projector = projector
        self.audience = audience
        self.current = current
        (rechecks, recheck) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// How many listeners there are.
    package var count: Int { listeners.values.reduce(0) { $0 + $1.count } }

    /// Hears the bus until the task is cancelled.
    package func run() async throws {
        // Heard first, and asked then where the projector of this process is: nothing falls between the two. The saved
        // position will not do, because other processes save theirs in the same place.
        let live = try await stores.bus.subscribe("live.*", buffer: Self.busBuffer)
        let readings = try await stores.bus.subscribe("readings.*", buffer: Self.busBuffer)
        let start = if let projector { try await projector.start().rawValue } else { try await newestPosition() }
        sequence = max(sequence, start)
        // Who listened before cannot know what was missed.
        resyncAll()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.hear("live.*", live) }
            group.addTask { try await self.hear("readings.*", readings) }
            group.addTask { try await self.recheckNowAndThen() }
            group.addTask { for await _ in self.rechecks { await self.recheckAll() } }
            try await group.waitForAll()
        }
    }

    private func hear(_ pattern: String, _ first: AsyncStream<BusMessage>) async throws {
        var messages = first
        while !Task.isCancelled {
            for await message in messages { receive(message) }
            if Task.isCancelled { return }
            messages = try await stores.bus.subscribe(pattern, buffer: Self.busBuffer)
            // We fell behind, or the bus went away: nobody knows what was missed.
            resyncAll()
        }
    }

    // MARK: Listeners

    /// Lets a principal with a tenant listen.
    ///
    /// `onSlow` is called when the listener is let go for taking its messages too slowly.
    /// - Throws: `unauthenticated` for nobody; `unavailable` while the server stops.
    package func open(_ principal: Principal, onSlow: @escaping @Sendable () -> Void = {}) throws(ServiceError)
        -> LiveSession
    {
        guard let tenant = try principal.requiredScope().tenant else {
            throw ServiceError(.invalid, "live.tenant", "Listening takes a tenant.")
        }
        guard !isStopped else {
            throw ServiceError(.unavailable, "live.stopping", "The server stops.", retryAfter: .seconds(2))
        }
        let (stream, continuation) = AsyncStream.makeStream(
            of: LiveSession.Delivery.self, bufferingPolicy: .bufferingOldest(Self.bufferedMessages))
        let id = nextID
        nextID += 1
        listeners[tenant, default: [:]][id] = LiveListener(
            principal: principal, continuation: continuation, onSlow: onSlow)
        return LiveSession(id: id, deliveries: stream)
    }

    package func close(_ id: LiveSession.ID) {
        for tenant in listeners.keys {
            if let listener = listeners[tenant]?.removeValue(forKey: id) {
                listener.continuation.finish()
                if listeners[tenant]?.isEmpty == true { listeners[tenant] = nil }
                return
            }
        }
    }

    /// Lets everybody go, because the server stops.
    package func stop() {
        isStopped = true
        for group in listeners.values {
            for listener in group.values { end(listener, .shutdown) }
        }
        listeners = [:]
    }

    /// Adds patterns, and gives again what was missed of them since `lastSequence`.
    ///
    /// - Throws: `invalid` for too many patterns, or one that is too long.
    package func subscribe(_ id: LiveSession.ID, to patterns: [String], lastSequence: Int64?) async throws {
        guard let (tenant, listener) = find(id) else { return }
        guard listener.patterns.union(patterns).count <= Self.patternsPerListener,
            patterns.allSatisfy({ (1...128).contains($0.utf8.count) })
        else {
            throw ServiceError.invalid("patterns", "must be at most \(Self.patternsPerListener) of at most 128 bytes")
        }
        listeners[tenant]?[id]?.patterns.formUnion(patterns)
        if let lastSequence, listener.held == nil {
            try await replay(to: id, tenant, listener, patterns, after: lastSequence)
        }
        send(envelope("subscribed", .object(["patterns": .array(patterns.map { .string($0) })])), to: id, tenant)
    }

    /// What comes meanwhile is held back, so that a listener always hears in order.
    private func replay(
        to id: LiveSession.ID, _ tenant: TenantID, _ listener: LiveListener, _ patterns: [String], after last: Int64
    ) async throws {
        let until = sequence
        guard last != until else { return }
        listeners[tenant]?[id]?.held = []
        defer { release(id, tenant) }
        guard last < until, let missed = try await missed(tenant, after: last, until: until) else {
            yield(message(envelope("resync", .emptyObject)), to: id, tenant)
            return
        }
        for envelope in missed where listener.mayHear(envelope) && patterns.contains(where: envelope.fits) {
            yield(message(envelope), to: id, tenant)
        }
    }

    private func release(_ id: LiveSession.ID, _ tenant: TenantID) {
        let held = listeners[tenant]?[id]?.held ?? []
        listeners[tenant]?[id]?.held = nil
        for delivery in held { yield(delivery, to: id, tenant) }
    }

    private func find(_ id: LiveSession.ID) -> (TenantID, LiveListener)? {
        for (tenant, group) in listeners {
            if let listener = group[id] { return (tenant, listener) }
        }
        return nil
    }

    // MARK: Messages

    private func receive(_ message: BusMessage) {
        // Most of the time nobody listens to readings, and they are by far the most messages.
        if message.topic.hasPrefix("readings."), !isAnybodyHearingReadings { return }
        let parts = message.topic.split(separator: ".", maxSplits: 1)
        guard parts.count == 2 else { return }
        let tenant = TenantID(String(parts[1]))
        if parts[0] == "readings" {
            guard let tenant, listeners[tenant] != nil, let envelope = readings(message.payload) else { return }
            deliver(envelope, tenant)
            return
        }
        guard let envelope = LiveEnvelope(busPayload: message.payload) else { return }
        // Published again after a crash.
        guard envelope.sequence > sequence else { return }
        sequence = envelope.sequence
        if let tenant { deliver(envelope, tenant) }
        endRevoked(by: envelope)
    }

    private var isAnybodyHearingReadings: Bool {
        if let knownHearing { return knownHearing }
        let isHearing = listeners.values.contains { group in group.values.contains(where: \.hearsReadings) }
        knownHearing = isHearing
        return isHearing
    }

    /// A message of ingest: any JSON object that names its `device`.
    private func readings(_ payload: [UInt8]) -> LiveEnvelope? {
        guard let data = try? JSONDecoder().decode(JSONValue.self, from: Data(payload)) else { return nil }
        let device = data["device"]?.text.flatMap { DeviceID($0) }
        return LiveEnvelope(
            type: device.map { "readings.device.\($0)" } ?? "readings.other", data: data, sequence: sequence,
            timestamp: clock.now(), device: device)
    }

    private func deliver(_ envelope: LiveEnvelope, _ tenant: TenantID) {
        guard let group = listeners[tenant] else { return }
        for (id, listener) in group where listener.wants(envelope) {
            send(message(envelope), to: id, tenant)
        }
    }

    private func send(_ envelope: LiveEnvelope, to id: LiveSession.ID, _ tenant: TenantID) {
        send(message(envelope), to: id, tenant)
    }

    private func send(_ delivery: LiveSession.Delivery, to id: LiveSession.ID, _ tenant: TenantID) {
        guard let held = listeners[tenant]?[id]?.held else {
            yield(delivery, to: id, tenant)
            return
        }
        guard held.count < Self.bufferedMessages else {
            drop(id, tenant)
            return
        }
        listeners[tenant]?[id]?.held?.append(delivery)
    }

    private func yield(_ delivery: LiveSession.Delivery, to id: LiveSession.ID, _ tenant: TenantID) {
        guard let listener = listeners[tenant]?[id] else { return }
        if case .enqueued = listener.continuation.yield(delivery) { return }
        drop(id, tenant)
    }

    private func drop(_ id: LiveSession.ID, _ tenant: TenantID) {
        guard let listener = listeners[tenant]?.removeValue(forKey: id) else { return }
        listener.continuation.finish()
        listener.onSlow()
    }

    private func message(_ envelope: LiveEnvelope) -> LiveSession.Delivery {
        .message(sequence: envelope.sequence, json: envelope.json)
    }

    private func envelope(_ type: String, _ data: JSONValue) -> LiveEnvelope {
        LiveEnvelope(type: type, data: data, sequence: sequence, timestamp: clock.now())
    }

    private func resyncAll() {
        for (tenant, group) in listeners {
            for id in group.keys { send(envelope("resync", .emptyObject), to: id, tenant) }
        }
    }

    // MARK: Ends

    /// A session or token that ended takes its listeners with it; of people, roles and tenants that changed, whoever
    /// listens is looked at again.
    private func endRevoked(by envelope: LiveEnvelope) {
        if ["user", "role", "tenant"].contains(envelope.aggregate) { recheck.yield() }
        guard envelope.type == "session.revoked" || envelope.type == "token.revoked",
            let aggregateID = envelope.aggregateID
        else { return }
        for (tenant, group) in listeners {
            for (id, listener) in group where Self.concerns(aggregateID, listener.principal) {
                end(listener, .revoked)
                listeners[tenant]?[id] = nil
            }
        }
    }

    private static func concerns(_ aggregateID: String, _ principal: Principal) -> Bool {
        switch principal.subject {
        case .user(_, let session): aggregateID == session.description
        case .token(let token, _), .device(_, let token): aggregateID == token.description
        case .local, .anonymous: false
        }
    }

    func end(_ listener: LiveListener, _ ending: LiveSession.Ending) {
        listener.continuation.yield(.end(ending))
        listener.continuation.finish()
    }
}
