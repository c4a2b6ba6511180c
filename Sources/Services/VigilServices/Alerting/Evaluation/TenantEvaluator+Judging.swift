import VigilModel
import VigilPorts

extension TenantEvaluator {
    /// Judges the rows of a batch.
    func judge(
        _ prepared: PreparedRows, _ bindings: [Binding], currentFrom: Timestamp,
        into outcomes: inout [ConditionOutcome]
    ) async throws {
        guard bindings.contains(where: { !$0.fields.isEmpty }) else { return }
        let order = PartOrder(prepared)
        for (part, binding) in bindings.enumerated() where prepared.extents[part].rowCount > 0 {
            for field in binding.fields {
                var column: JudgedColumn?
                for cell in field.cells
                where !staysNormal(cell, field, prepared, order.rows(of: part), prepared.extents[part]) {
                    let judged =
                        column
                        ?? JudgedColumn(
                            prepared.rows, Array(order.rows(of: part)), part: binding.part, place: field.place)
                    column = judged
                    try await judge(judged, cell, currentFrom: currentFrom, into: &outcomes)
                }
            }
        }
    }

    /// Whether the condition is normal, has been since before these rows or ever, and none of them breaches it: what
    /// nearly every batch says of nearly every condition.
    ///
    /// The order of the rows does not matter then, and it does not matter either whether newer ones were judged before:
    /// senders with several connections overtake themselves all the time.
    private func staysNormal(
        _ cell: ConditionCell, _ field: BoundField, _ prepared: PreparedRows, _ rows: ArraySlice<Int32>,
        _ extent: ReadingRows.Extent
    ) -> Bool {
        guard let test = cell.numberTest, field.kind == .float || field.kind == .integer else { return false }
        if cell.isWarm {
            guard cell.state.since == nil, cell.through != nil, let last = cell.history.last?.time.microseconds,
                last < extent.firstTime
            else { return false }
        } else {
            // Nothing was ever recorded of it, so it has been normal.
            guard cell.history.isEmpty else { return false }
        }
        let isFloat = field.kind == .float
        for row in rows {
            let word = prepared.rows.words[Int(prepared.rows.rows[Int(row)].firstWord) + field.place]
            let number = isFloat ? Double(bitPattern: word) : Double(Int64(bitPattern: word))
            if test.isBreached(by: number) { return false }
        }
        if !cell.isWarm {
            cell.restart()
            cell.isWarm = true
        }
        let last = Timestamp(microseconds: extent.lastTime)
        if cell.through.map({ $0 < last }) ?? true { cell.through = last }
        return true
    }

    private func judge(
        _ column: JudgedColumn, _ cell: ConditionCell, currentFrom: Timestamp, into outcomes: inout [ConditionOutcome]
    ) async throws {
        if cell.isWarm, column.isAscending, cell.through.map({ $0 < column.first }) ?? false {
            judgeInOrder(column, cell: cell, currentFrom: currentFrom, into: &outcomes)
        } else if !cell.isWarm, cell.history.isEmpty, !breaches(column, cell) {
            // Nothing was ever recorded of the condition, so it has been normal, and these rows leave it so.
            cell.restart()
            cell.isWarm = true
            cell.through = column.last
        } else if !changesNothing(column, cell) {
            try await judgeFromStore(
                cell, device: column.device, from: column.first, through: column.last, currentFrom: currentFrom,
                evaluated: nil, into: &outcomes)
        }
    }

    /// Whether late rows fall into a stretch that has been normal ever since, and are normal themselves.
    ///
    /// Senders with several connections overtake themselves all the time, and this saves a look into the store.
    private func changesNothing(_ column: JudgedColumn, _ cell: ConditionCell) -> Bool {
        guard cell.isWarm, cell.state.since == nil, let last = cell.history.last, last.time < column.first,
            let through = cell.through
        else { return false }
        guard !breaches(column, cell) else { return false }
        cell.through = max(through, column.last)
        return true
    }

    /// Whether any of the rows breaches the condition.
    private func breaches(_ column: JudgedColumn, _ cell: ConditionCell) -> Bool {
        (0..<column.count).contains {
            cell.rule.definition.test.isBreached(by: column.value($0), conversion: cell.conversion) == true
        }
    }

    /// Judges a series from the store.
    func judge(_ revisit: EvaluationWork.Revisit, book: RuleBook, into outcomes: inout [ConditionOutcome]) async throws
    {
        let cells = cells(
            for: revisit.identity, watchedAs: revisit.watchedAs, device: revisit.device, unit: revisit.unit, book: book)
        for cell in cells {
            try await judgeFromStore(
                cell, device: revisit.device, from: revisit.from, through: nil, currentFrom: revisit.currentFrom,
                evaluated: revisit.evaluated, into: &outcomes)
        }
    }

    // MARK: - The usual case: newer than everything that was judged

    private func judgeInOrder(
        _ column: JudgedColumn, cell: ConditionCell, currentFrom: Timestamp, into outcomes: inout [ConditionOutcome]
    ) {
        var outcome = outcome(of: cell, device: column.device)
        var hasChanged = false
        let isMuted = column.device?.status == .maintenance
        let schedule = cell.rule.schedule
        for row in 0..<column.count {
            let value = column.value(row)
            guard let breached = cell.rule.definition.test.isBreached(by: value, conversion: cell.conversion) else {
                continue
            }
            let time = column.time(row)
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
}

/// The rows of each part of a batch, in the order of arrival.
private struct PartOrder {
    private var order: [Int32]
    private var ends: [Int32]

    init(_ prepared: PreparedRows) {
        ends = []
        ends.reserveCapacity(prepared.extents.count)
        var total: Int32 = 0
        for extent in prepared.extents {
            ends.append(total)
            total += Int32(truncatingIfNeeded: extent.rowCount)
        }
        order = [Int32](repeating: 0, count: prepared.rows.rows.count)
        for (number, row) in prepared.rows.rows.enumerated() {
            let part = Int(row.part)
            order[Int(ends[part])] = Int32(truncatingIfNeeded: number)
            ends[part] += 1
        }
    }

    func rows(of part: Int) -> ArraySlice<Int32> { order[(part == 0 ? 0 : Int(ends[part - 1]))..<Int(ends[part])] }
}

/// The values of one field in the rows of one part, in the order of arrival.
private struct JudgedColumn {
    let rows: ReadingRows
    let numbers: [Int32]
    let device: DeviceEntry?
    let kind: ReadingValue.Kind
    let place: Int
    let first: Timestamp
    let last: Timestamp
    /// Strictly: no time comes twice.
    let isAscending: Bool

    /// `numbers` names the rows; there is at least one.
    init(_ rows: ReadingRows, _ numbers: [Int32], part: RoutedPart, place: Int) {
        self.rows = rows
        self.numbers = numbers
        self.place = place
        device = part.device?.entry
        kind = part.shape.kinds[place]
        var (lowest, highest) = (Int64.max, Int64.min)
        var ascends = true
        for number in numbers {
            let time = rows.rows[Int(number)].time
            if time <= highest { ascends = false }
            lowest = min(lowest, time)
            highest = max(highest, time)
        }
        first = Timestamp(microseconds: lowest)
        last = Timestamp(microseconds: highest)
        isAscending = ascends
    }

    var count: Int { numbers.count }

    func time(_ row: Int) -> Timestamp { Timestamp(microseconds: rows.rows[Int(numbers[row])].time) }

    func value(_ row: Int) -> ReadingValue {
        rows.value(kind, at: Int(rows.rows[Int(numbers[row])].firstWord) + place)
    }
}

extension SeriesIdentity {
    /// Matchers that name this series, its labels included; others that have more labels are told apart afterwards.
    var matchers: [LabelMatcher] {
        [.metric(metric)] + labels.all.map { LabelMatcher($0.name, .equal, $0.value) }
    }
}
