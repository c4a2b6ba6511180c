package import VigilModel

/// A place.
package struct Site: Codable, Sendable, Hashable {
    package var id: SiteID
    /// Unique in the tenant.
    package var code: String
    package var name: String
    /// `home`, `boiler_house`, `water_district`, `pumping_station`, …: a word of the tenant's choice.
    package var kind: String
    package var address: String?
    package var timeZone: String
    /// GeoJSON: a Point, a Polygon or a MultiPolygon.
    package var geometry: JSONValue?
    package var details: JSONValue
    package var isActive: Bool
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Locations that the caller sees; absent where a change is told.
    package var locationCount: Int?
    /// Devices that the caller sees, by connection state; absent where a change is told.
    package var devices: DeviceCounts?
}

/// How many devices are in which connection state.
package struct DeviceCounts: Codable, Sendable, Hashable {
    package var online = 0
    package var warning = 0
    package var offline = 0
    package var unknown = 0

    package var total: Int { online + warning + offline + unknown }
}

/// What makes a site.
package struct SiteDraft: Codable, Sendable {
    /// Made of the name when absent.
    package var code: String?
    package var name: String
    package var kind: String?
    package var address: String?
    /// `UTC` when absent.
    package var timeZone: String?
    package var geometry: JSONValue?
    package var details: JSONValue?
    package var isActive: Bool?

    package init(
        code: String? = nil, name: String, kind: String? = nil, address: String? = nil, timeZone: String? = nil,
        geometry: JSONValue? = nil, details: JSONValue? = nil, isActive: Bool? = nil
    ) {
        self.code = code
        self.name = name
        self.kind = kind
        self.address = address
        self.timeZone = timeZone
        self.geometry = geometry
        self.details = details
        self.isActive = isActive
    }
}

/// What changes of a site; absent members stay as they are.
package struct SiteChange: Codable, Sendable {
    package var code: String?
    package var name: String?
    package var kind: String?
    package var address: Patch<String> = .keep
    package var timeZone: String?
    package var geometry: Patch<JSONValue> = .keep
    package var details: JSONValue?
    package var isActive: Bool?

    package init(
        code: String? = nil, name: String? = nil, kind: String? = nil, address: Patch<String> = .keep,
        timeZone: String? = nil, geometry: Patch<JSONValue> = .keep, details: JSONValue? = nil, isActive: Bool? = nil
    ) {
        self.code = code
        self.name = name
        self.kind = kind
        self.address = address
        self.timeZone = timeZone
        self.geometry = geometry
        self.details = details
        self.isActive = isActive
    }
}
