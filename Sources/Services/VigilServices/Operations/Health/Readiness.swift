import VigilModel
package import VigilPorts

/// Whether the stores can do their work, asked of them at most every few seconds.
package actor Readiness {
    package enum State: String, Sendable, Codable {
        case ok
        /// What hangs on it waits or is old, and catches up.
        case degraded
        /// What hangs on it fails.
        case away
    }

    /// How one store is.
    package struct StoreState: Codable, Sendable, Hashable {
        package var store: String
        package var state: State
        /// Why, when it is not `ok`, or what was put right: a sentence without values.
        package var reason: String?
    }

    /// One store's question.
    package struct Probe: Sendable {
        let store: String
        /// Whether nothing works without it.
        let isTruth: Bool
        let ask: @Sendable () async throws -> Void
        /// What is worth saying of a store that works.
        let remark: @Sendable () -> String?

        package init(
            _ store: String, isTruth: Bool, remark: @escaping @Sendable () -> String? = { nil },
            ask: @escaping @Sendable () async throws -> Void
        ) {
            self.store = store
            self.isTruth = isTruth
            self.remark = remark
            self.ask = ask
        }
    }

    private let probes: [Probe]
    private let clock: any TimeSource
    private var last: [StoreState] = []
    private var asked = Timestamp.distantPast
    /// The round of questions that is under way.
    private var asking: Task<[StoreState], Never>?
    /// Stores that still owe an answer of an earlier round.
    private var hanging: Set<String> = []
    static let keep = Span.seconds(2)
    static let patience = Span.seconds(3)

    package init(_ probes: [Probe], clock: any TimeSource) {
        self.probes = probes
        self.clock = clock
    }

    /// The usual probes: the truth is written to and read, readings are counted.
    ///
    /// - Parameter further: What the stores need besides, such as room on a disk.
    package init(stores: Stores, clock: any TimeSource, further: [Probe] = []) {
        self.init(
            [
                Probe("relational", isTruth: true) {
                    let now = clock.now()
                    try await stores.relational.write(in: SystemScope.allTenants("readiness")) { transaction in
                        try transaction.execute(
                            """
                            INSERT INTO consumer_cursors (consumer, position, updated) VALUES (\("ready"), 0, \(now))
                            ON CONFLICT (consumer) DO UPDATE SET updated = excluded.updated
                            """)
                    }
                    try Self.tellDamage(of: stores.relational)
                },
                Probe("series", isTruth: true, remark: { Self.remark(of: stores.series) }) {
                    _ = try await stores.series.statistics()
                    try Self.tellDamage(of: stores.series)
                },
                Probe("jobs", isTruth: false) {
                    _ = try await stores.jobs.jobs(
                        [.running], after: nil, limit: 1, in: SystemScope.allTenants("readiness"))
                },
            ] + further, clock: clock)
    }

    private static func remark(of store: any Sendable) -> String? {
        (store as? any StoreInspecting)?.remarks.first.map { "\($0.name): \($0.value)" }
    }

    private static func tellDamage(of store: any Sendable) throws {
        if let damage = (store as? any StoreInspecting)?.knownDamage { throw damage }
    }

    /// How the stores are; an answer may be two seconds old.
    package func states() async -> [StoreState] {
        let now = clock.now()
        if !last.isEmpty, now - asked < Self.keep { return last }
        // Who comes while the stores are being asked gets the same answer.
        if let asking { return await asking.value }
        asked = now
        let round = Task { await ask() }
        asking = round
        last = await round.value
        asking = nil
        return last
    }

    private func ask() async -> [StoreState] {
        // All at once: one that hangs must not make the others wait.
        let questions = probes.map { probe in Task { await self.state(of: probe) } }
        var states: [StoreState] = []
        for question in questions { states.append(await question.value) }
        return states
    }

    private func state(of probe: Probe) async -> StoreState {
        let reason = await reason(of: probe)
        guard let reason else { return StoreState(store: probe.store, state: .ok, reason: probe.remark()) }
        // What is whole can still be read.
        if reason.hasPrefix("DAMAGE") { return StoreState(store: probe.store, state: .degraded, reason: reason) }
        return StoreState(store: probe.store, state: probe.isTruth ? .away : .degraded, reason: reason)
    }

    /// Why a store does not work; `nil` when it does.
    ///
    /// A question to a store that hangs cannot be taken back, so it is left alone, and no second one is asked meanwhile.
    private func reason(of probe: Probe) async -> String? {
        guard hanging.insert(probe.store).inserted else { return Self.late }
        let (answers, continuation) = AsyncStream.makeStream(of: String?.self, bufferingPolicy: .bufferingOldest(1))
        Task {
            let answer: String?
            do {
                try await probe.ask()
                answer = nil
            } catch let error as StoreError {
                answer = "\(error)"
            } catch {
                answer = "\(type(of: error))"
            }
            self.answered(probe)
            continuation.yield(answer)
        }
        let waiting = Task { [clock] in
            try? await clock.wait(for: Self.patience)
            continuation.yield(Self.late)
        }
        defer { waiting.cancel() }
        for await answer in answers { return answer }
        return Self.late
    }

    private func answered(_ probe: Probe) { hanging.remove(probe.store) }

    private static let late = "did not answer in time"
}
