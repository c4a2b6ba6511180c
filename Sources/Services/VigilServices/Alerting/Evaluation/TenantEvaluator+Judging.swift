import VigilModel
import VigilPorts

extension TenantEvaluator {
    /// Judges one table of a batch.
    func judge(_ part: EvaluationWork.Part, book: RuleBook, into outcomes: inout [ConditionOutcome]) async throws {
        for (index, column) in part.table.columns.enumerated() {
            let cells = cells(
                for: part.table.source, field: column.field, device: part.device, unit: part.units[index], book: book)
            guard !cells.isEmpty, let span = Self.span(of: part.table.times, column: column) else { continue }
            for cell in cells {
                if cell.isWarm, span.isAscending, cell.through.map({ $0 < span.first }) ?? false {
                    judgeInOrder(column, times: part.table.times, cell: cell, part: part, into: &outcomes)
                } else {
                    try await judgeFromStore(
                        cell, device: part.device, from: span.first, through: span.last,
                        currentFrom: part.currentFrom, evaluated: nil, into: &outcomes)
                }
            }
        }
    }

    /// Judges a series from the store.
    func judge(_ revisit: EvaluationWork.Revisit, book: RuleBook, into outcomes: inout [ConditionOutcome]) async throws
    {
        for cell in cells(for: revisit.identity, device: revisit.device, unit: revisit.unit, book: book) {
            try await judgeFromStore(
                cell, device: revisit.device, from: revisit.from, through: nil, currentFrom: revisit.currentFrom,
                evaluated: revisit.evaluated, into: &outcomes)
        }
    }

    // MARK: - The usual case: newer than everything that was judged

    private func judgeInOrder(
        _ column: ReadingColumn, times: [Int64], cell: ConditionCell, part: EvaluationWork.Part,
        into outcomes: inout [ConditionOutcome]
    ) {
        var outcome = outcome(of: cell, device: part.device)
        var hasChanged = false
        let currentFrom = part.currentFrom
        let isMuted = part.device?.status == .maintenance
        let schedule = cell.rule.schedule
        for row in 0..<times.count where column.isPresent(row) {
            let value = column.values[row]
            guard let breached = cell.rule.definition.test.isBreached(by: value, conversion: cell.conversion) else {
                continue
            }
            let time = Timestamp(microseconds: times[row])
            let change = cell.advance(to: time, isBreached: breached) { time in
                !isMuted && time >= currentFrom && schedule?.contains(time) ?? true
            }
            guard let change else { continue }
            hasChanged = true
            Self.note(change, at: time, value: converted(value, cell), in: &outcome)
        }
        guard hasChanged else { return }
        finish(cell, &outcome)
        outcomes.append(outcome)
    }

    // MARK: - From the store: late readings, a cold start, an import

    /// Judges everything from `start` on again, and compares with what was raised before.
    private func judgeFromStore(
        _ cell: ConditionCell, device: DeviceEntry?, from start: Timestamp, through last: Timestamp?,
        currentFrom: Timestamp, evaluated: TimeRange?, into outcomes: inout [ConditionOutcome]
    ) async throws {
        guard let begin = begin(cell, from: start, through: last, evaluated: evaluated) else { return }
        let existing = try await raisedTimes(cell, since: begin)
        var outcome = outcome(of: cell, device: device)
        outcome.evaluated = evaluated
        var hasChanged = evaluated != nil
        var lastJudged = begin
        let isMuted = device?.status == .maintenance
        let schedule = cell.rule.schedule
        let cursor = try await stores.series.samples(
            SeriesSelection(
                cell.identity.matchers, devices: cell.identity.device.map { [$0] },
                range: TimeRange(begin, Timestamp(microseconds: .max)), sampleLimit: settings.windowSamplesMax),
            in: SystemScope.tenant(tenant, "rule evaluation"))
        while let piece = try await cursor.next() {
            guard piece.identity == cell.identity else { continue }
            for sample in piece.samples {
                guard
                    let breached = cell.rule.definition.test.isBreached(by: sample.value, conversion: cell.conversion)
                else { continue }
                lastJudged = sample.time
                let change = cell.advance(to: sample.time, isBreached: breached) { time in
                    if existing.contains(time) { return true }
                    guard !isMuted, schedule?.contains(time) ?? true else { return false }
                    return time >= currentFrom || evaluated?.contains(time) ?? false
                }
                guard let change else { continue }
                hasChanged = true
                Self.note(change, at: sample.time, value: converted(sample.value, cell), in: &outcome)
            }
        }
        cell.isWarm = true
        if cell.through == nil, let last { cell.through = last }
        guard hasChanged || !existing.isEmpty else { return }
        outcome.window = TimeRange(begin, lastJudged + Span(microseconds: 1))
        finish(cell, &outcome)
        outcomes.append(outcome)
    }

    /// Puts the cell into the state from which to judge, and says from where; `nil` when the readings are too old to
    /// change anything.
    private func begin(
        _ cell: ConditionCell, from start: Timestamp, through last: Timestamp?, evaluated: TimeRange?
    ) -> Timestamp? {
        if let evaluated {
            // An episode may have begun before the range.
            let definition = cell.rule.definition
            let back = max(Span(microseconds: definition.hold.microseconds * 2), definition.cooldown, .days(1))
            cell.restart()
            return min(start, evaluated.start) - back
        }
        guard let newest = cell.through ?? cell.history.last?.time else {
            cell.restart()
            return start
        }
        let bound = newest - settings.lateness
        if let last, last < bound { return nil }
        let begin = max(start, bound)
        if !cell.rewind(to: begin) {
            // Older than all that is known of this condition: begin with the oldest known state.
            let oldest = cell.forgetAllButOldest()
            return max(begin, oldest.time + Span(microseconds: 1))
        }
        return begin
    }

    /// When alerts of this condition were raised since `begin`, by event time.
    private func raisedTimes(_ cell: ConditionCell, since begin: Timestamp) async throws -> Set<Timestamp> {
        let (tenant, key) = (tenant, cell.key)
        return try await stores.relational.read(in: SystemScope.tenant(tenant, "rule evaluation")) { transaction in
            let rows = try transaction.rows(
                """
                SELECT event_time FROM alerts WHERE tenant_id = \(tenant) AND source = \(key.rule)
                    AND subject = \(key.subject) AND event_time >= \(begin) AND retracted_at IS NULL
                """)
            return Set(try rows.map { try $0.get("event_time", as: Timestamp.self) })
        }
    }

    // MARK: - Pieces

    private func outcome(of cell: ConditionCell, device: DeviceEntry?) -> ConditionOutcome {
        ConditionOutcome(rule: cell.rule, key: cell.key, identity: cell.identity, device: device, unit: cell.unit)
    }

    private func finish(_ cell: ConditionCell, _ outcome: inout ConditionOutcome) {
        if let through = cell.through { cell.trimHistory(before: through - settings.lateness) }
        outcome.record = ConditionRecord(
            key: cell.key, device: cell.identity.device, state: cell.state,
            changedAt: cell.history.last?.time ?? cell.through ?? clock.now(), history: cell.history)
    }

    private static func note(
        _ change: ConditionState.Change, at time: Timestamp, value: ReadingValue, in outcome: inout ConditionOutcome
    ) {
        switch change {
        case .began: break
        case .fired(let since): outcome.events.append(.fired(at: time, since: since, value: value))
        case .recovered(let hadFired): if hadFired { outcome.events.append(.recovered(at: time)) }
        }
    }

    private func converted(_ value: ReadingValue, _ cell: ConditionCell) -> ReadingValue {
        guard let conversion = cell.conversion, let number = value.number else { return value }
        return .float(conversion(number))
    }

    private struct TimeSpan {
        let first: Timestamp
        let last: Timestamp
        /// Strictly: no time comes twice.
        let isAscending: Bool
    }

    private static func span(of times: [Int64], column: ReadingColumn) -> TimeSpan? {
        var (lowest, highest) = (Int64.max, Int64.min)
        var (previous, isAscending) = (Int64.min, true)
        for row in 0..<times.count where column.isPresent(row) {
            let time = times[row]
            if time <= previous { isAscending = false }
            previous = time
            lowest = min(lowest, time)
            highest = max(highest, time)
        }
        guard lowest <= highest else { return nil }
        return TimeSpan(
            first: Timestamp(microseconds: lowest), last: Timestamp(microseconds: highest), isAscending: isAscending)
    }
}

extension SeriesIdentity {
    /// Matchers that name this series, its labels included; others that have more labels are told apart afterwards.
    var matchers: [LabelMatcher] {
        [.metric(metric)] + labels.all.map { LabelMatcher($0.name, .equal, $0.value) }
    }
}
