package import VigilModel

/// What devices of a kind share.
package struct Profile: Codable, Sendable, Hashable {
    package var id: ProfileID
    /// Unique in the tenant.
    package var code: String
    package var name: String
    package var description: String?
    /// The kind of device that this is for, such as `sensor`, `camera`, `meter`, `boiler`, `controller`.
    package var kind: String
    package var handler: String
    package var expectedIntervalSeconds: Double
    /// Metric → the unit it is reported in.
    package var units: [String: String]
    /// Metric → the values that can be right.
    package var ranges: [String: ValidRange]
    /// The rules that a device of this profile starts with.
    package var rules: [JSONValue]
    /// Comes with Vigil: it cannot be changed or deleted, and follows Vigil's version.
    package var isBuiltIn: Bool
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What makes a profile.
package struct ProfileDraft: Codable, Sendable, Hashable {
    package var code: String?
    package var name: String
    package var description: String?
    package var kind: String?
    /// `custom` when absent.
    package var handler: String?
    /// Five minutes when absent.
    package var expectedIntervalSeconds: Double?
    package var units: [String: String]?
    package var ranges: [String: ValidRange]?
    package var rules: [JSONValue]?

    package init(
        code: String? = nil, name: String, description: String? = nil, kind: String? = nil, handler: String? = nil,
        expectedIntervalSeconds: Double? = nil, units: [String: String]? = nil, ranges: [String: ValidRange]? = nil,
        rules: [JSONValue]? = nil
    ) {
        self.code = code
        self.name = name
        self.description = description
        self.kind = kind
        self.handler = handler
        self.expectedIntervalSeconds = expectedIntervalSeconds
        self.units = units
        self.ranges = ranges
        self.rules = rules
    }
}

/// What changes of a profile; absent members stay as they are.
package struct ProfileChange: Codable, Sendable {
    package var code: String?
    package var name: String?
    package var description: Patch<String> = .keep
    package var kind: String?
    package var handler: String?
    package var expectedIntervalSeconds: Double?
    package var units: [String: String]?
    package var ranges: [String: ValidRange]?
    package var rules: [JSONValue]?

    package init(
        code: String? = nil, name: String? = nil, description: Patch<String> = .keep, kind: String? = nil,
        handler: String? = nil, expectedIntervalSeconds: Double? = nil, units: [String: String]? = nil,
        ranges: [String: ValidRange]? = nil, rules: [JSONValue]? = nil
    ) {
        self.code = code
        self.name = name
        self.description = description
        self.kind = kind
        self.handler = handler
        self.expectedIntervalSeconds = expectedIntervalSeconds
        self.units = units
        self.ranges = ranges
        self.rules = rules
    }
}
