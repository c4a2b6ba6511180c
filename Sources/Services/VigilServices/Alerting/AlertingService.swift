package import VigilModel
package import VigilPorts

/// Rules, how they stand, and the alerts that come of them.
package final class AlertingService: Sendable {
    package struct Settings: Sendable {
        /// How late a reading may come and still be judged in its place.
        package var lateness = Span.minutes(5)
        /// Batches that share a transaction.
        package var groupMax = 64
        /// How long the records of batches that changed nothing wait for a transaction, and how many at most.
        package var recordDelay = Span.milliseconds(250)
        package var deferredMax = 256
        /// Conditions of a tenant that are kept in memory.
        package var cellsMax = 500_000
        package var bindingsMax = 500_000
        /// Samples that judging one condition from the store may read.
        package var windowSamplesMax = 50_000_000
        /// How often `missing` rules are judged.
        package var missingInterval = Span.seconds(5)
        /// Rules of a tenant.
        package var rulesMax = 5_000

        package init() {}
    }

    let stores: Stores
    let clock: any TimeSource
    let directory: DeviceDirectory
    package let settings: Settings
    let shelf: RuleShelf
    let evaluators: TenantEvaluators
    /// Since when this process hears readings: before that nobody can have been silent.
    private let listening: Timestamp

    package init(stores: Stores, clock: any TimeSource, directory: DeviceDirectory, settings: Settings = Settings()) {
        self.stores = stores
        self.clock = clock
        self.directory = directory
        self.settings = settings
        listening = clock.now()
        shelf = RuleShelf(stores: stores, clock: clock)
        evaluators = TenantEvaluators(stores: stores, clock: clock, shelf: shelf, settings: settings)
    }

    /// Judges `missing` rules, and hears of rules that other processes change, until the task is cancelled.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.shelf.run() }
            group.addTask {
                while true {
                    do {
                        try await self.checkMissing()
                    } catch let error as StoreError where error.mayBeTriedAgain {
                        // The next round finds it.
                    }
                    try await self.clock.wait(for: self.settings.missingInterval)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Judges all `missing` rules once.
    package func checkMissing() async throws {
        try await MissingWatch(stores: stores, clock: clock, shelf: shelf, listening: listening).check()
    }

    /// Looks up beside other work what judging the rows of these parts will need.
    func prepare(_ parts: [RoutedPart], tenant: TenantID) async {
        await evaluators.evaluator(of: tenant).prepare(parts)
    }

    /// Judges readings that are durable; `companion` is written in the same transaction as the effect.
    ///
    /// - Parameter mayWait: Whether `companion` may be written a moment later where there is no effect.
    func evaluate(
        _ work: EvaluationWork, tenant: TenantID, mayWait: Bool = false,
        companion: @escaping @Sendable (any SQLTransaction) throws -> Void
    ) async throws {
        try await evaluators.evaluator(of: tenant).evaluate(work, mayWait: mayWait, companion: companion)
    }

    /// Writes what is left of batches that were judged, so that who reads now sees all of them.
    package func settle(_ tenant: TenantID) async {
        // Who cannot write now sees them later.
        try? await evaluators.known(tenant)?.settle()
    }

    /// The same for all tenants, at the end.
    package func settleAll() async {
        for evaluator in await evaluators.all { try? await evaluator.settle() }
    }
}

/// The evaluator of each tenant whose readings were judged.
actor TenantEvaluators {
    private let stores: Stores
    private let clock: any TimeSource
    private let shelf: RuleShelf
    private let settings: AlertingService.Settings
    private var evaluators: [TenantID: TenantEvaluator] = [:]

    init(stores: Stores, clock: any TimeSource, shelf: RuleShelf, settings: AlertingService.Settings) {
        self.stores = stores
        self.clock = clock
        self.shelf = shelf
        self.settings = settings
    }

    var all: [TenantEvaluator] { Array(evaluators.values) }

    func known(_ tenant: TenantID) -> TenantEvaluator? { evaluators[tenant] }

    func evaluator(of tenant: TenantID) -> TenantEvaluator {
        if let known = evaluators[tenant] { return known }
        let evaluator = TenantEvaluator(
            tenant: tenant, stores: stores, clock: clock, shelf: shelf, settings: settings)
        evaluators[tenant] = evaluator
        return evaluator
    }
}
