public import Foundation

/// One occurrence of something that somebody should look at.
public struct Alert: Sendable, Hashable, Codable {
    /// The identifier, a UUID.
    public var id: String
    /// The rule that raised it.
    public var rule: String?
    /// The device that it is about.
    public var device: String?
    /// The device's name.
    public var deviceName: String?
    /// info, low, medium, high or critical.
    public var severity: String
    /// intrusion, environmental, malfunction, system or custom.
    public var type: String
    /// One line for people.
    public var title: String
    /// More for people.
    public var message: String
    /// When it truly happened.
    public var eventTime: Date
    /// When it became known.
    public var knownAt: Date
    /// open, acknowledged, resolved or dismissed.
    public var status: String
    /// Whether somebody has acknowledged it.
    public var acknowledged: Bool
    /// Who acknowledged it.
    public var acknowledgedBy: String?
    /// What was said with the last action.
    public var note: String?
    /// Grows with every change.
    public var version: Int
}

/// A condition on readings that raises alerts.
public struct NewRule: Sendable, Hashable, Codable {
    /// Which devices are watched; all when nothing is said.
    public struct Scope: Sendable, Hashable, Codable {
        /// Codes or identifiers.
        public var devices: [String]?
        /// Code or identifier.
        public var site: String?

        /// Watches these.
        public init(devices: [String]? = nil, site: String? = nil) {
            self.devices = devices
            self.site = site
        }
    }

    /// What people call it.
    public var name: String
    /// The metric that is judged.
    public var metric: String?
    /// above, below, between, outside, state or missing.
    public var condition: String
    /// For above and below.
    public var threshold: Double?
    /// For between and outside.
    public var low: Double?
    /// For between and outside.
    public var high: Double?
    /// For state.
    public var states: [String]?
    /// The unit of the thresholds.
    public var unit: String?
    /// How long the condition must hold, in seconds of the readings' own time.
    public var holdSeconds: Double?
    /// info, low, medium, high or critical.
    public var severity: String?
    /// What is watched.
    public var scope: Scope?

    /// A rule that is not there yet.
    public init(
        name: String, metric: String? = nil, condition: String, threshold: Double? = nil, low: Double? = nil,
        high: Double? = nil, states: [String]? = nil, unit: String? = nil, holdSeconds: Double? = nil,
        severity: String? = nil, scope: Scope? = nil
    ) {
        self.name = name
        self.metric = metric
        self.condition = condition
        self.threshold = threshold
        self.low = low
        self.high = high
        self.states = states
        self.unit = unit
        self.holdSeconds = holdSeconds
        self.severity = severity
        self.scope = scope
    }
}

/// A rule that is there.
public struct Rule: Sendable, Hashable, Codable {
    /// The identifier, a UUID.
    public var id: String
    /// What it says.
    public var rule: NewRule
    /// Grows with every change.
    public var version: Int
}
