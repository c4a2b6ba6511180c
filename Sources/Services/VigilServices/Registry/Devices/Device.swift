package import VigilModel

/// What a reference to another thing shows.
package struct NamedReference<ID: Codable & Sendable & Hashable>: Codable, Sendable, Hashable {
    package var id: ID
    package var code: String
    package var name: String
}

/// What another system calls a device.
package struct ExternalID: Codable, Sendable, Hashable {
    /// Who gives these identifiers out, such as `lifebox`, `mac` or `serial`.
    package var scheme: String
    package var value: String

    package init(scheme: String, value: String) {
        self.scheme = scheme
        self.value = value
    }
}

/// A device in a list.
package struct DeviceSummary: Codable, Sendable, Hashable {
    package var id: DeviceID
    /// Unique among the tenant's living devices.
    package var code: String
    package var name: String
    package var kind: String
    /// The device's own handler, else the profile's.
    package var handler: String
    package var profile: NamedReference<ProfileID>?
    package var owner: NamedReference<UserID>?
    package var site: NamedReference<SiteID>?
    package var location: NamedReference<LocationID>?
    package var status: AdministrativeStatus
    package var connectionState: ConnectionState
    /// The time of its newest reading.
    package var lastSeen: Timestamp?
    /// When its last reading arrived.
    package var lastArrival: Timestamp?
    /// How far the device's clock was behind ours when its last reading arrived; negative when it was ahead.
    package var clockSkewSeconds: Double?
    /// The device's own expected interval, else the profile's.
    package var expectedIntervalSeconds: Double
    package var latitude: Double?
    package var longitude: Double?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deletedAt: Timestamp?
}

/// A device with everything that is set on it.
package struct Device: Codable, Sendable, Hashable {
    package var id: DeviceID
    package var code: String
    package var name: String
    package var kind: String
    package var handler: String
    package var profile: NamedReference<ProfileID>?
    package var owner: NamedReference<UserID>?
    package var site: NamedReference<SiteID>?
    package var location: NamedReference<LocationID>?
    package var status: AdministrativeStatus
    package var connectionState: ConnectionState
    package var lastSeen: Timestamp?
    package var lastArrival: Timestamp?
    /// How far the device's clock was behind ours when its last reading arrived; negative when it was ahead.
    package var clockSkewSeconds: Double?
    package var expectedIntervalSeconds: Double
    package var latitude: Double?
    package var longitude: Double?
    package var externalIDs: [ExternalID]
    /// How to reach it, without secrets.
    package var connection: JSONValue
    /// The names of the secrets that are set; the secrets themselves are never shown.
    package var connectionSecrets: [String]
    package var metadata: JSONValue
    /// The hash of the metadata in force, by which devices of one configuration are found.
    package var configurationHash: String?
    /// Whether it reports without anybody having claimed it.
    package var isDiscovered: Bool
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deletedAt: Timestamp?
}

/// What changes of a device; absent members stay as they are.
package struct DeviceChange: Codable, Sendable {
    package var code: String?
    package var name: String?
    package var kind: String?
    package var handler: Patch<String> = .keep
    package var profile: Patch<String> = .keep
    package var owner: Patch<UserID> = .keep
    package var site: Patch<String> = .keep
    package var location: Patch<String> = .keep
    package var status: AdministrativeStatus?
    package var expectedIntervalSeconds: Patch<Double> = .keep
    /// Replaces all of them.
    package var externalIDs: [ExternalID]?
    /// Replaces the settings; secrets stay.
    package var connection: JSONValue?
    /// Sets secrets by name; `null` takes one away.
    package var secrets: [String: String?]?
    /// Replaces the metadata.
    package var metadata: JSONValue?

    package init() {}
}

/// Which devices a list shows.
package struct DeviceFilter: Sendable, Hashable {
    /// By identifier or code.
    package var site: String?
    /// This location and everything below it, by identifier or code.
    package var location: String?
    package var kind: String?
    /// By identifier or code.
    package var profile: String?
    package var status: AdministrativeStatus?
    package var connectionState: ConnectionState?
    package var owner: UserID?
    /// A part of the name, the code or an external identifier.
    package var text: String?
    /// A configuration hash, or at least its first 16 digits.
    package var configuration: String?
    /// Deleted devices instead of living ones.
    package var isDeleted = false
    package var order = Order.newest

    package enum Order: String, Sendable, CaseIterable {
        case newest
        case name
    }

    package init() {}
}
