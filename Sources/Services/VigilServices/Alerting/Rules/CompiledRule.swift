import VigilModel

/// A rule ready to judge: what had to be looked up or checked once is done.
struct CompiledRule: Sendable {
    /// The rule's identifier, or `handler:NAME` for what a handler itself watches.
    let key: String
    /// `nil` for a handler's own rule.
    let id: RuleID?
    let version: Int
    let definition: RuleDefinition
    let schedule: CompiledSchedule?
    let unit: Unit?
    /// The rule's location with everything below it.
    let locations: Set<LocationID>?
    /// For a handler's own rule: only devices of this handler.
    let handler: String?

    init(
        key: String, id: RuleID?, version: Int, definition: RuleDefinition, schedule: CompiledSchedule? = nil,
        locations: Set<LocationID>? = nil, handler: String? = nil
    ) {
        self.key = key
        self.id = id
        self.version = version
        self.definition = definition
        self.schedule = schedule
        unit = definition.unit.flatMap(Unit.init)
        self.locations = locations
        self.handler = handler
    }

    /// Whether readings of `device` with `labels` are this rule's to judge.
    func applies(to device: DeviceEntry?, labels: Labels) -> Bool {
        guard let device else {
            return !definition.scope.needsDevice && handler == nil && matches(labels)
        }
        if let handler, handler != device.handler { return false }
        let scope = definition.scope
        if !scope.devices.isEmpty, !scope.devices.contains(device.id) { return false }
        if let site = scope.site, device.site != site { return false }
        if let profile = scope.profile, device.profile != profile { return false }
        if let locations { guard let location = device.location, locations.contains(location) else { return false } }
        return matches(labels)
    }

    private func matches(_ labels: Labels) -> Bool {
        definition.scope.matchers.allSatisfy { matcher in
            let value = labels[matcher.name] ?? ""
            return matcher.operation == .equal ? value == matcher.value : value != matcher.value
        }
    }

    /// How the readings of a series come into the rule's unit.
    ///
    /// - Returns: `.some(nil)` when they are compared as they are; `nil` when they cannot be compared at all.
    func conversion(from reported: String?) -> UnitConversion?? {
        guard let unit, let reported, let source = Unit(reported) else { return .some(nil) }
        if source == unit { return .some(nil) }
        return UnitConversion(from: source, to: unit).map { .some($0) }
    }
}

/// The rules of a tenant, found by metric.
final class RuleBook: Sendable {
    /// Grows with every change, so that what was derived from a book can tell that it is old.
    let edition: Int
    let byMetric: [String: [CompiledRule]]
    let missing: [CompiledRule]

    init(edition: Int, rules: [CompiledRule]) {
        self.edition = edition
        var byMetric: [String: [CompiledRule]] = [:]
        for rule in rules where rule.definition.isEnabled {
            if let metric = rule.definition.metric { byMetric[metric, default: []].append(rule) }
        }
        self.byMetric = byMetric
        missing = rules.filter { if case .missing = $0.definition.test { $0.definition.isEnabled } else { false } }
    }
}
