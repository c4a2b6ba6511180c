import VigilModel
import VigilPorts

/// Judges the readings of one tenant, one group of batches after the other.
///
/// While one group is being written, batches gather for the next, so that a busy tenant shares transactions. Conditions
/// live here in memory; what is written is only what changed. Where nothing did, what is left to write of a batch waits
/// for the next transaction, at most ``AlertingService/Settings/recordDelay``: the journal has it until then.
actor TenantEvaluator {
    /// What else is written in the transaction of a group.
    typealias Companion = @Sendable (any SQLTransaction) throws -> Void

    struct Submission: Sendable {
        let work: EvaluationWork
        let companion: Companion
        /// Whether `companion` may be written later.
        let mayWait: Bool
    }

    private struct Waiting {
        let submission: Submission
        let continuation: CheckedContinuation<Result<Void, any Error>, Never>
    }

    /// The conditions that the rows of a part touch.
    final class Binding {
        /// Keeps the object alive by whose identity the binding is found.
        let part: RoutedPart
        /// Field by field, those that have any.
        let fields: [BoundField]
        /// Whether the stored conditions of all its cells were read.
        var isRead: Bool

        init(part: RoutedPart, fields: [BoundField]) {
            self.part = part
            self.fields = fields
            isRead = fields.isEmpty
        }
    }

    /// The conditions of one field.
    struct BoundField {
        let place: Int
        let kind: ReadingValue.Kind
        let cells: [ConditionCell]
    }

    let tenant: TenantID
    let stores: Stores
    let clock: any TimeSource
    let shelf: RuleShelf
    let settings: AlertingService.Settings
    var cells: [ConditionCell.Key: ConditionCell] = [:]
    private var bindings = OpenTable<ObjectPair, Binding>()
    /// Of each list of metrics, the places of those that rules are about.
    private var watchedPlaces: [ObjectIdentifier: (names: MetricNames, places: [Int])] = [:]
    private var edition = -1
    private var waiting: [Waiting] = []
    private var isRunning = false
    /// What is still to be written of batches that changed nothing.
    private var deferred: [Companion] = []
    private var isFlushDue = false

    init(tenant: TenantID, stores: Stores, clock: any TimeSource, shelf: RuleShelf, settings: AlertingService.Settings)
    {
        self.tenant = tenant
        self.stores = stores
        self.clock = clock
        self.shelf = shelf
        self.settings = settings
    }

    /// Judges, and returns when the effect is committed together with `companion`.
    ///
    /// - Parameter mayWait: Whether `companion` may be written later where there is no effect.
    func evaluate(_ work: EvaluationWork, mayWait: Bool = false, companion: @escaping Companion) async throws {
        let submission = Submission(work: work, companion: companion, mayWait: mayWait)
        let result = await withCheckedContinuation { continuation in
            waiting.append(Waiting(submission: submission, continuation: continuation))
            if !isRunning {
                isRunning = true
                Task { await self.runGroups() }
            }
        }
        try result.get()
    }

    /// Looks up the conditions that the rows of parts touch, so that judging them finds all of it.
    ///
    /// What cannot be looked up now is when they are judged.
    func prepare(_ parts: [RoutedPart]) async {
        guard let book = try? await shelf.book(of: tenant) else { return }
        // While a group is being judged, none of its conditions may be dropped, or get another in its place.
        guard !isRunning, cells.count + parts.count < settings.cellsMax / 2 else { return }
        adopt(book)
        try? await warm([], parts.map { binding(of: $0, book: book) }, book: book)
    }

    /// Writes what waits.
    func settle() async throws {
        guard !deferred.isEmpty else { return }
        try await evaluate(EvaluationWork()) { _ in }
    }

    private func settleLater() {
        guard !isFlushDue, !deferred.isEmpty else { return }
        isFlushDue = true
        Task {
            try? await clock.wait(for: settings.recordDelay)
            isFlushDue = false
            do { try await settle() } catch { settleLater() }
        }
    }

    private func runGroups() async {
        while !waiting.isEmpty {
            let group = Array(waiting.prefix(settings.groupMax))
            waiting.removeFirst(group.count)
            do {
                try await run(group.map(\.submission))
                for item in group { item.continuation.resume(returning: .success(())) }
            } catch {
                // What is in memory may be ahead of what is written: look again.
                cells = [:]
                bindings.removeAll()
                for item in group { item.continuation.resume(returning: .failure(error)) }
            }
        }
        isRunning = false
    }

    private func run(_ group: [Submission]) async throws {
        let book = try await shelf.book(of: tenant)
        adopt(book)
        var outcomes: [ConditionOutcome] = []
        for submission in group {
            let bindings = submission.work.prepared.parts.map { binding(of: $0, book: book) }
            try await warm(submission.work.revisits, bindings, book: book)
            try await judge(
                submission.work.prepared, bindings, currentFrom: submission.work.currentFrom, into: &outcomes)
            for revisit in submission.work.revisits { try await judge(revisit, book: book, into: &outcomes) }
        }
        if outcomes.isEmpty, group.allSatisfy(\.mayWait), deferred.count < settings.deferredMax {
            deferred += group.map(\.companion)
            settleLater()
            return
        }
        let now = clock.now()
        let (tenant, settings) = (tenant, settings)
        let companions = deferred + group.map(\.companion)
        let settled = outcomes
        try await stores.relational.write(in: SystemScope.tenant(tenant, "rule evaluation")) { transaction in
            try ConditionRecord.save(
                Array(Dictionary(settled.compactMap(\.record).map { ($0.key, $0) }, uniquingKeysWith: { $1 }).values),
                tenant: tenant, at: now, in: transaction)
            let writer = AlertWriter(tenant: tenant, now: now, settings: settings)
            for outcome in settled { try writer.apply(outcome, in: transaction) }
            for companion in companions { try companion(transaction) }
        }
        deferred.removeAll()
    }

    /// Drops what was derived from an older edition of the rules; conditions of rules that did not change stay warm.
    private func adopt(_ book: RuleBook) {
        guard edition != book.edition else { return }
        edition = book.edition
        bindings.removeAll()
        watchedPlaces.removeAll()
        var versions: [String: Int] = [:]
        for rules in book.byMetric.values { for rule in rules { versions[rule.key] = rule.version } }
        cells = cells.filter { versions[$0.key.rule] == $0.value.rule.version }
    }

    // MARK: - Cells

    func binding(of part: RoutedPart, book: RuleBook) -> Binding {
        if let known = bindings[ObjectPair(ObjectIdentifier(part))] { return known }
        let device = part.device?.entry
        var places = self.places(of: part.names, book: book)
        if let watched = part.watched, !places.contains(watched), part.values.contains(watched) {
            places = (places + [watched]).sorted()
        }
        let fields = places.compactMap { place -> BoundField? in
            let watched = place == part.watched ? part.device?.handler.defaultMetric : nil
            let identity = SeriesIdentity(
                device: part.source.device, metric: part.metrics[place], labels: part.source.labels)
            let cells = cells(for: identity, watchedAs: watched, device: device, unit: part.units[place], book: book)
            return cells.isEmpty ? nil : BoundField(place: place, kind: part.shape.kinds[place], cells: cells)
        }
        if bindings.count >= settings.bindingsMax { bindings.removeAll() }
        let binding = Binding(part: part, fields: fields)
        bindings.put(binding, for: ObjectPair(ObjectIdentifier(part)))
        return binding
    }

    private func places(of names: MetricNames, book: RuleBook) -> [Int] {
        if let known = watchedPlaces[ObjectIdentifier(names)] { return known.places }
        let places = names.values.filter { book.byMetric[names.metrics[$0]] != nil }
        if watchedPlaces.count >= 10_000 { watchedPlaces.removeAll() }
        watchedPlaces[ObjectIdentifier(names)] = (names, places)
        return places
    }

    /// - Parameter watchedAs: The metric under which the device's handler watches the series, when that is not its own.
    func cells(
        for identity: SeriesIdentity, watchedAs watched: String? = nil, device: DeviceEntry?, unit: String?,
        book: RuleBook
    ) -> [ConditionCell] {
        var rules = book.byMetric[identity.metric] ?? []
        if let watched, watched != identity.metric {
            rules += (book.byMetric[watched] ?? []).filter { $0.handler != nil }
        }
        return rules.compactMap { rule in
            guard rule.applies(to: device, labels: identity.labels), let conversion = rule.conversion(from: unit) else {
                return nil
            }
            let shown = conversion == nil ? unit ?? rule.definition.unit : rule.definition.unit
            let cell = ConditionCell(rule: rule, identity: identity, unit: shown, conversion: conversion)
            if let known = cells[cell.key], known.conversion == conversion { return known }
            if cells.count >= settings.cellsMax {
                cells.removeAll(keepingCapacity: true)
                bindings.removeAll()
            }
            cells[cell.key] = cell
            return cell
        }
    }

    /// Reads the stored conditions of all cells that this work meets for the first time.
    private func warm(_ revisits: [EvaluationWork.Revisit], _ bindings: [Binding], book: RuleBook) async throws {
        var cold: [ConditionCell.Key: ConditionCell] = [:]
        func collect(_ cells: [ConditionCell]) {
            for cell in cells where !cell.isWarm && cell.history.isEmpty { cold[cell.key] = cell }
        }
        for binding in bindings where !binding.isRead {
            for field in binding.fields { collect(field.cells) }
        }
        for revisit in revisits {
            collect(
                cells(
                    for: revisit.identity, watchedAs: revisit.watchedAs, device: revisit.device, unit: revisit.unit,
                    book: book))
        }
        guard !cold.isEmpty else {
            for binding in bindings { binding.isRead = true }
            return
        }
        let tenant = tenant
        let keys = Array(cold.keys)
        let records = try await stores.relational.read(in: SystemScope.tenant(tenant, "rule evaluation")) {
            transaction in
            try ConditionRecord.load(keys, tenant: tenant, in: transaction)
        }
        for binding in bindings { binding.isRead = true }
        guard !records.isEmpty else { return }
        for (key, cell) in cold where !cell.isWarm && cell.history.isEmpty {
            guard let record = records[key] else { continue }
            cell.state = record.state
            cell.history = record.history
        }
    }
}
