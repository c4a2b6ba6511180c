package import VigilModel

/// What is watched: a condition on readings, and what an alert says when it holds.
package struct Rule: Sendable, Hashable {
    package var id: RuleID
    package var tenant: TenantID
    package var definition: RuleDefinition
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What a person says of a rule.
package struct RuleDefinition: Sendable, Hashable {
    package var name: String
    package var isEnabled = true
    package var scope = RuleScope()
    /// The metric that is judged; absent for `missing`, which is about the device.
    package var metric: String?
    package var test: RuleTest
    /// The unit of the thresholds; readings in another unit of the same quantity are converted first.
    package var unit: String?
    /// How long the condition must hold, from the first breaching sample; zero fires at once.
    package var hold = Span(microseconds: 0)
    /// No further alert this long after one; zero: one alert for each time that it begins to hold.
    package var cooldown = Span(microseconds: 0)
    package var severity = Severity.medium
    package var type = AlertType.custom
    package var subtype: String?
    /// Templates: `{deviceName} is at {value} {unit}`.
    package var title: String?
    package var message: String?
    /// Alerts of one key count as one for the cooldown; `{ruleName}:{deviceId}`.
    package var dedupKey: String?
    package var schedule: RuleSchedule?
    /// Whether an alert closes by itself when the condition is normal again.
    package var autoResolve = false
    /// Whether an alert stays although the condition is normal again, until somebody has acknowledged it.
    package var isLatched = false

    package init(name: String, metric: String? = nil, test: RuleTest) {
        self.name = name
        self.metric = metric
        self.test = test
    }
}

/// When a reading breaches.
package enum RuleTest: Sendable, Hashable {
    case above(Double)
    case below(Double)
    /// Both ends breach.
    case between(Double, Double)
    /// Both ends are still right.
    case outside(Double, Double)
    /// The value is one of these texts; booleans are `true` and `false`, numbers as JSON writes them.
    case state([String])
    /// Nothing was heard of the device for so long; `nil`: two and a half of its expected intervals, at least five minutes.
    case missing(Span?)

    package var name: String {
        switch self {
        case .above: "above"
        case .below: "below"
        case .between: "between"
        case .outside: "outside"
        case .state: "state"
        case .missing: "missing"
        }
    }

    /// Whether a number breaches; NaN never does.
    func isBreached(by value: Double) -> Bool {
        switch self {
        case .above(let limit): value > limit
        case .below(let limit): value < limit
        case .between(let low, let high): value >= low && value <= high
        case .outside(let low, let high): value < low || value > high
        case .state, .missing: false
        }
    }

    /// Whether a value breaches, after `conversion`; `nil` for a value that the test cannot judge: it counts as absent.
    func isBreached(by value: ReadingValue, conversion: UnitConversion?) -> Bool? {
        switch self {
        case .state(let states):
            switch value {
            case .text(let text): return states.contains(text)
            case .boolean(let flag): return states.contains(flag ? "true" : "false")
            case .integer(let number): return states.contains(String(number))
            case .float(let number):
                return states.contains { Double($0) == number }
            case .object: return nil
            }
        case .missing: return nil
        case .above, .below, .between, .outside:
            guard let number = value.number, !number.isNaN else { return nil }
            return isBreached(by: conversion.map { $0(number) } ?? number)
        }
    }
}

/// Which devices and series a rule watches; what is absent restricts nothing.
package struct RuleScope: Sendable, Hashable {
    package var devices: [DeviceID] = []
    package var site: SiteID?
    /// This location and everything below it.
    package var location: LocationID?
    package var profile: ProfileID?
    /// Labels that a series must (`=`) or must not (`!=`) have.
    package var matchers: [LabelMatcher] = []

    package init() {}

    /// Whether it is about devices: a series without one never fits then.
    var needsDevice: Bool { !devices.isEmpty || site != nil || location != nil || profile != nil }
}
