public import Foundation

/// Anything that reports or obeys.
public struct Device: Sendable, Hashable, Codable {
    /// The identifier, a UUID.
    public var id: String
    /// The natural key, unique in the tenant.
    public var code: String
    /// What people call it.
    public var name: String
    /// What it is: `temperature`, `contact`, `boiler`, ….
    public var kind: String
    /// active, inactive, error or maintenance.
    public var status: String
    /// online, warning, offline or unknown.
    public var connectionState: String
    /// The time of its newest reading.
    public var lastSeen: Date?
}

/// What makes a device.
public struct NewDevice: Sendable, Hashable, Codable {
    /// The natural key; made of the name when absent.
    public var code: String?
    /// What people call it.
    public var name: String
    /// What it is; the profile's when absent.
    public var kind: String?
    /// The profile, by code or identifier.
    public var profile: String?
    /// The site, by code or identifier.
    public var site: String?
    /// How often it should report, in seconds; the profile's when absent.
    public var expectedIntervalSeconds: Double?

    /// A device that is not there yet.
    public init(
        code: String? = nil, name: String, kind: String? = nil, profile: String? = nil, site: String? = nil,
        expectedIntervalSeconds: Double? = nil
    ) {
        self.code = code
        self.name = name
        self.kind = kind
        self.profile = profile
        self.site = site
        self.expectedIntervalSeconds = expectedIntervalSeconds
    }
}
