package import VigilModel

/// What may be set on a device when it is made or claimed; nothing is required.
package struct DeviceSettings: Codable, Sendable {
    /// Made of the name when absent.
    package var code: String?
    /// The profile's when absent.
    package var kind: String?
    /// The profile's when absent.
    package var handler: String?
    /// By identifier or code.
    package var profile: String?
    package var owner: UserID?
    package var site: String?
    package var location: String?
    package var status: AdministrativeStatus?
    package var expectedIntervalSeconds: Double?
    package var externalIDs: [ExternalID]?
    package var connection: JSONValue?
    /// Secrets of the connection by name.
    package var secrets: [String: String]?
    package var metadata: JSONValue?

    package init() {}
}

/// What makes a device.
@dynamicMemberLookup
package struct DeviceDraft: Codable, Sendable {
    package var name: String
    package var settings: DeviceSettings

    private enum CodingKeys: String, CodingKey { case name }

    package init(name: String, settings: DeviceSettings = DeviceSettings()) {
        self.name = name
        self.settings = settings
    }

    /// The settings stand beside the name.
    package init(from decoder: any Decoder) throws {
        name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
        settings = try DeviceSettings(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(name, forKey: .name)
        try settings.encode(to: encoder)
    }

    package subscript<Member>(dynamicMember member: WritableKeyPath<DeviceSettings, Member>) -> Member {
        get { settings[keyPath: member] }
        set { settings[keyPath: member] = newValue }
    }
}

/// What makes a discovered device one of the tenant's; nothing is required.
package struct DeviceClaim: Codable, Sendable {
    /// What it called itself when absent.
    package var name: String?
    package var settings: DeviceSettings

    private enum CodingKeys: String, CodingKey { case name }

    package init(name: String? = nil, settings: DeviceSettings = DeviceSettings()) {
        self.name = name
        self.settings = settings
    }

    /// The settings stand beside the name.
    package init(from decoder: any Decoder) throws {
        name = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .name)
        settings = try DeviceSettings(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(name, forKey: .name)
        try settings.encode(to: encoder)
    }

    /// The device to be made of one that called itself `reference`.
    func draft(of reference: String) -> DeviceDraft { DeviceDraft(name: name ?? reference, settings: settings) }
}
