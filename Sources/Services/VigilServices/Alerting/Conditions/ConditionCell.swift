import VigilModel

/// One rule for one subject, in memory: the evaluator's own, never shared.
final class ConditionCell {
    struct Key: Hashable, Sendable {
        let rule: String
        let subject: String
    }

    let key: Key
    let rule: CompiledRule
    let identity: SeriesIdentity
    let conversion: UnitConversion?
    let unit: String?
    var state = ConditionState.normal
    /// The states of the recent past, each with the sample at which it began, oldest first.
    ///
    /// Never empty once warm; the last one is the present state.
    var history: [ConditionStep] = []
    /// The newest sample that was judged.
    var through: Timestamp?
    /// The rule's bounds for numbers as they come; `nil` for a rule about states.
    let numberTest: NumberTest?
    /// Whether state and history are known to be those of all samples up to ``through``.
    ///
    /// A cold cell looks into the series store first.
    var isWarm = false

    init(rule: CompiledRule, identity: SeriesIdentity, unit: String?, conversion: UnitConversion?) {
        self.rule = rule
        self.identity = identity
        self.unit = unit
        self.conversion = conversion
        numberTest = NumberTest(rule.definition.test, conversion: conversion)
        key = Key(rule: rule.key, subject: Self.subject(of: identity))
    }

    /// How many states of the past are kept; a late reading older than all of them raises nothing.
    static let historyCountMax = 64

    /// A device, with the labels of its series where it has any.
    static func subject(of identity: SeriesIdentity) -> String {
        let device = identity.device?.description ?? ""
        guard !identity.labels.isEmpty else { return device }
        let labels = identity.labels.all.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",")
        return "\(device){\(labels)}"
    }

    /// Knows nothing: normal since ever.
    func restart() {
        state = .normal
        history = [ConditionStep(time: .distantPast, state: .normal)]
        through = nil
    }

    /// Goes back to the oldest state that is known.
    func forgetAllButOldest() -> ConditionStep {
        let oldest = history.first ?? ConditionStep(time: .distantPast, state: .normal)
        history = [oldest]
        state = oldest.state
        return oldest
    }

    /// Judges one sample and keeps the history; `nil` when nothing changed.
    func advance(to time: Timestamp, isBreached: Bool, mayFire: (Timestamp) -> Bool) -> ConditionState.Change? {
        let definition = rule.definition
        let change = state.advance(
            to: time, isBreached: isBreached, hold: definition.hold, cooldown: definition.cooldown, mayFire: mayFire)
        if change != nil { history.append(ConditionStep(time: time, state: state)) }
        through = max(through ?? time, time)
        return change
    }

    /// Drops the past that is older than `bound`, but for the state that held there.
    func trimHistory(before bound: Timestamp) {
        var first = max(0, history.count - Self.historyCountMax)
        while first + 1 < history.count, history[first + 1].time <= bound { first += 1 }
        if first > 0 { history.removeFirst(first) }
    }

    /// Goes back to the state that held just before `time`, when it is still known.
    ///
    /// - Returns: False when `time` is before everything that is known; then nothing has changed.
    func rewind(to time: Timestamp) -> Bool {
        guard let last = history.lastIndex(where: { $0.time < time }) else { return false }
        history.removeSubrange((last + 1)...)
        state = history[last].state
        return true
    }
}
