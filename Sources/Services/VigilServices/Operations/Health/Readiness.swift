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
        /// Why, when it is not `ok`: a sentence without values.
        package var reason: String?
    }

    /// One store's question.
    package struct Probe: Sendable {
        let store: String
        /// Whether nothing works without it.
        let isTruth: Bool
        let ask: @Sendable () async throws -> Void

        package init(_ store: String, isTruth: Bool, ask: @escaping @Sendable () async throws -> Void) {
            self.store = store
            self.isTruth = isTruth
            self.ask = ask
        }
    }

    private let probes: [Probe]
    private let clock: any TimeSource
    private var last: [StoreState] = []
    private var asked = Timestamp.distantPast
    static let keep = Span.seconds(2)
    static let patience = Span.seconds(3)

    package init(_ probes: [Probe], clock: any TimeSource) {
        self.probes = probes
        self.clock = clock
    }

    /// The usual probes: the truth is written to and read, readings are counted.
    package init(stores: Stores, clock: any TimeSource) {
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
                },
                Probe("series", isTruth: true) { _ = try await stores.series.statistics() },
                Probe("jobs", isTruth: false) {
                    _ = try await stores.jobs.jobs(
                        [.running], after: nil, limit: 1, in: SystemScope.allTenants("readiness"))
                },
            ], clock: clock)
    }

    /// How the stores are; an answer may be two seconds old.
    package func states() async -> [StoreState] {
        let now = clock.now()
        if !last.isEmpty, now - asked < Self.keep { return last }
        asked = now
        var states: [StoreState] = []
        for probe in probes { states.append(await state(of: probe)) }
        last = states
        return states
    }

    private func state(of probe: Probe) async -> StoreState {
        let clock = clock
        let outcome = await withTaskGroup(of: String?.self, returning: String?.self) { group in
            group.addTask {
                do {
                    try await probe.ask()
                    return nil
                } catch let error as StoreError {
                    return "\(error)"
                } catch {
                    return "\(type(of: error))"
                }
            }
            group.addTask {
                try? await clock.wait(for: Self.patience)
                return "did not answer in time"
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        guard let reason = outcome else { return StoreState(store: probe.store, state: .ok, reason: nil) }
        return StoreState(store: probe.store, state: probe.isTruth ? .away : .degraded, reason: reason)
    }
}
