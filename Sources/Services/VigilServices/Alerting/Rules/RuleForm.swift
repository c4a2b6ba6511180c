import Foundation
package import VigilModel
import VigilPorts

/// A rule as the interface writes it.
package struct RuleForm: Codable, Sendable, Hashable {
    package struct Scope: Codable, Sendable, Hashable {
        /// UUIDs or codes.
        package var devices: [String]?
        package var site: String?
        package var location: String?
        package var profile: String?
        /// Labels that a series must have.
        package var labels: [String: String]?

        package init(
            devices: [String]? = nil, site: String? = nil, location: String? = nil, profile: String? = nil,
            labels: [String: String]? = nil
        ) {
            self.devices = devices
            self.site = site
            self.location = location
            self.profile = profile
            self.labels = labels
        }
    }

    package var name: String
    package var enabled: Bool?
    package var scope: Scope?
    package var metric: String?
    /// above, below, between, outside, state, missing.
    package var condition: String
    /// For `above` and `below`.
    package var threshold: Double?
    /// For `between` and `outside`.
    package var low: Double?
    package var high: Double?
    /// For `state`.
    package var states: [String]?
    /// For `missing`: absent means two and a half expected intervals, at least five minutes.
    package var missingSeconds: Double?
    package var unit: String?
    package var holdSeconds: Double?
    package var cooldownSeconds: Double?
    package var severity: Severity?
    package var type: AlertType?
    package var subtype: String?
    package var title: String?
    package var message: String?
    package var dedupKey: String?
    package var schedule: RuleSchedule?
    package var autoResolve: Bool?
    package var latched: Bool?

    package init(name: String, metric: String? = nil, condition: String) {
        self.name = name
        self.metric = metric
        self.condition = condition
    }

    init(_ definition: RuleDefinition) {
        self.init(name: definition.name, metric: definition.metric, condition: definition.test.name)
        enabled = definition.isEnabled
        let rule = definition.scope
        scope = Scope(
            devices: rule.devices.isEmpty ? nil : rule.devices.map(\.description), site: rule.site?.description,
            location: rule.location?.description, profile: rule.profile?.description,
            labels: rule.matchers.isEmpty
                ? nil : Dictionary(rule.matchers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
        switch definition.test {
        case .above(let limit), .below(let limit): threshold = limit
        case .between(let low, let high), .outside(let low, let high): (self.low, self.high) = (low, high)
        case .state(let states): self.states = states
        case .missing(let span): missingSeconds = span?.seconds
        }
        unit = definition.unit
        holdSeconds = definition.hold.seconds
        cooldownSeconds = definition.cooldown.seconds
        severity = definition.severity
        type = definition.type
        subtype = definition.subtype
        title = definition.title
        message = definition.message
        dedupKey = definition.dedupKey
        schedule = definition.schedule
        autoResolve = definition.autoResolve
        latched = definition.isLatched
    }

    /// The rule that this means; `scope` is resolved already, with identifiers.
    ///
    /// - Throws: `invalid` naming the field.
    func definition() throws(ServiceError) -> RuleDefinition {
        guard (1...200).contains(name.utf8.count) else { throw .invalid("name", "must have 1 to 200 bytes") }
        var definition = RuleDefinition(name: name, metric: metric, test: try test())
        if case .missing = definition.test {
            guard metric == nil else { throw .invalid("metric", "must be absent: missing is about the device") }
        } else {
            guard let metric, !metric.isEmpty, metric.utf8.count <= 400 else {
                throw .invalid("metric", "must be named, in at most 400 bytes")
            }
        }
        definition.isEnabled = enabled ?? true
        definition.scope = try resolvedScope()
        if let unit {
            guard let known = Unit(unit) else { throw .invalid("unit", "is not a known unit") }
            definition.unit = known.name
        }
        definition.hold = try Self.span(holdSeconds, "holdSeconds")
        definition.cooldown = try Self.span(cooldownSeconds, "cooldownSeconds")
        definition.severity = severity ?? .medium
        definition.type = type ?? (definition.test.name == "missing" ? .malfunction : .environmental)
        definition.subtype = subtype
        (definition.title, definition.message, definition.dedupKey) = (title, message, dedupKey)
        for (field, template) in [("title", title), ("message", message), ("dedupKey", dedupKey)] {
            guard let template else { continue }
            guard template.utf8.count <= 2000 else { throw .invalid(field, "must have at most 2000 bytes") }
            guard AlertText.unknownPlaceholders(in: template).isEmpty else {
                throw .invalid(field, "has an unknown placeholder")
            }
        }
        _ = try schedule?.compiled()
        definition.schedule = schedule
        definition.autoResolve = autoResolve ?? false
        definition.isLatched = latched ?? false
        return definition
    }

    private func test() throws(ServiceError) -> RuleTest {
        switch condition {
        case "above": return .above(try number(threshold, "threshold"))
        case "below": return .below(try number(threshold, "threshold"))
        case "between", "outside":
            let (low, high) = (try number(low, "low"), try number(high, "high"))
            guard low <= high else { throw .invalid("high", "must not be less than low") }
            return condition == "between" ? .between(low, high) : .outside(low, high)
        case "state":
            guard let states, (1...100).contains(states.count) else {
                throw .invalid("states", "must name 1 to 100 states")
            }
            return .state(states)
        case "missing":
            return .missing(
                try missingSeconds.map { seconds throws(ServiceError) in
                    try Self.span(seconds, "missingSeconds")
                })
        default:
            throw .invalid("condition", "must be above, below, between, outside, state or missing")
        }
    }

    private func number(_ value: Double?, _ field: String) throws(ServiceError) -> Double {
        guard let value, value.isFinite else { throw .invalid(field, "must be a number") }
        return value
    }

    private static func span(_ seconds: Double?, _ field: String) throws(ServiceError) -> Span {
        let seconds = seconds ?? 0
        guard seconds >= 0, seconds <= 366 * 86_400 else { throw .invalid(field, "must be 0 to a year, in seconds") }
        return Span(seconds: seconds)
    }

    private func resolvedScope() throws(ServiceError) -> RuleScope {
        var result = RuleScope()
        for device in scope?.devices ?? [] {
            guard let id = DeviceID(device) else { throw .invalid("scope.devices", "names an unknown device") }
            result.devices.append(id)
        }
        guard result.devices.count <= 1000 else { throw .invalid("scope.devices", "must name at most 1000 devices") }
        result.site = try Self.identifier(scope?.site, "scope.site")
        result.location = try Self.identifier(scope?.location, "scope.location")
        result.profile = try Self.identifier(scope?.profile, "scope.profile")
        result.matchers = (scope?.labels ?? [:]).sorted { $0.key < $1.key }.map {
            LabelMatcher($0.key, .equal, $0.value)
        }
        return result
    }

    private static func identifier<Named>(_ text: String?, _ field: String) throws(ServiceError) -> Identifier<Named>? {
        guard let text else { return nil }
        guard let id = Identifier<Named>(text) else { throw .invalid(field, "names something unknown") }
        return id
    }
}

extension Rule {
    init(row: SQLRow) throws {
        let form: RuleForm? = try row.json("definition")
        guard let form else { throw StoreError(.internalFault, "A rule has no definition") }
        self.init(
            id: try row.get("id"), tenant: try row.get("tenant_id"), definition: try form.definition(),
            version: try row.get("version"), createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"))
    }
}

/// A rule as the interface answers it.
package struct RuleView: Codable, Sendable {
    package var id: RuleID
    package var rule: RuleForm
    package var version: Int
    package var createdAt: String
    package var updatedAt: String

    init(_ rule: Rule) {
        id = rule.id
        self.rule = RuleForm(rule.definition)
        version = rule.version
        createdAt = rule.createdAt.description
        updatedAt = rule.updatedAt.description
    }
}
