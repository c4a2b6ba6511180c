package import VigilModel

/// What the paths of readings need to know of a device, with the profile's values where the device has none of its own.
package struct DeviceEntry: Sendable, Hashable {
    package var id: DeviceID
    package var tenant: TenantID
    /// The natural key; for a discovered device, what it calls itself.
    package var code: String
    package var name: String
    package var owner: UserID?
    package var kind: String
    /// The name of the handler that validates, normalises and judges what it reports.
    package var handler: String
    package var status: AdministrativeStatus
    /// Nobody has claimed it yet.
    package var isDiscovered: Bool
    /// Somebody decided that what it sends is of no interest; it is discovered too.
    package var isIgnored: Bool
    package var site: SiteID?
    package var location: LocationID?
    package var profile: ProfileID?
    package var expectedInterval: Span
    /// Metric → the unit it is reported in.
    package var units: [String: String]
    /// Metric → the values that can be right.
    package var ranges: [String: ValidRange]

    /// Where neither device nor profile says anything: the limit of the reference systems.
    package static let defaultExpectedInterval = Span.minutes(5)
    /// The handler of devices that nobody has described: any JSON.
    package static let defaultHandler = "custom"

    package init(
        id: DeviceID, tenant: TenantID, code: String, name: String, owner: UserID? = nil, kind: String,
        handler: String = DeviceEntry.defaultHandler, status: AdministrativeStatus = .active,
        isDiscovered: Bool = false, isIgnored: Bool = false, site: SiteID? = nil, location: LocationID? = nil,
        profile: ProfileID? = nil, expectedInterval: Span = DeviceEntry.defaultExpectedInterval,
        units: [String: String] = [:], ranges: [String: ValidRange] = [:]
    ) {
        self.id = id
        self.tenant = tenant
        self.code = code
        self.name = name
        self.owner = owner
        self.kind = kind
        self.handler = handler
        self.status = status
        self.isDiscovered = isDiscovered
        self.isIgnored = isIgnored
        self.site = site
        self.location = location
        self.profile = profile
        self.expectedInterval = expectedInterval
        self.units = units
        self.ranges = ranges
    }
}

/// The values of a metric that can be right, both ends included; an absent end is open.
package struct ValidRange: Codable, Sendable, Hashable {
    package var min: Double?
    package var max: Double?

    package init(min: Double? = nil, max: Double? = nil) {
        self.min = min
        self.max = max
    }

    package func contains(_ value: Double) -> Bool {
        if let min, value < min { return false }
        if let max, value > max { return false }
        // Comparisons with NaN are false, so it would pass as long as it is not refused here.
        return !value.isNaN
    }
}
