package import VigilModel

/// A named part of a site: a room, a region, a branch, a DMA, a floor, a zone.
package struct Location: Codable, Sendable, Hashable {
    package var id: LocationID
    package var site: SiteID
    /// `nil` directly below the site.
    package var parent: LocationID?
    /// Unique in the tenant.
    package var code: String
    package var name: String
    package var kind: String
    /// The order among the children of one parent, from 0.
    package var position: Int
    /// GeoJSON: a Point, a LineString, a Polygon, or several of them.
    package var geometry: JSONValue?
    package var details: JSONValue
    package var isActive: Bool
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Levels below the site, from 0; absent where a change is told.
    package var depth: Int?
    /// The names from the top to this one, as far as the caller sees them; absent where a change is told.
    package var path: [String]?
}

/// What makes a location.
package struct LocationDraft: Codable, Sendable {
    /// The site, by identifier or code; may be left out where the parent says it.
    package var site: String?
    /// The location above, by identifier or code.
    package var parent: String?
    package var code: String?
    package var name: String
    package var kind: String?
    /// Where among its siblings, from 0; last when absent.
    package var position: Int?
    package var geometry: JSONValue?
    package var details: JSONValue?
    package var isActive: Bool?

    package init(
        site: String? = nil, parent: String? = nil, code: String? = nil, name: String, kind: String? = nil,
        position: Int? = nil, geometry: JSONValue? = nil, details: JSONValue? = nil, isActive: Bool? = nil
    ) {
        self.site = site
        self.parent = parent
        self.code = code
        self.name = name
        self.kind = kind
        self.position = position
        self.geometry = geometry
        self.details = details
        self.isActive = isActive
    }
}

/// What changes of a location; absent members stay as they are.
///
/// Another parent or site moves it with everything below it.
package struct LocationChange: Codable, Sendable {
    package var site: String?
    package var parent: Patch<String> = .keep
    package var code: String?
    package var name: String?
    package var kind: String?
    package var position: Int?
    package var geometry: Patch<JSONValue> = .keep
    package var details: JSONValue?
    package var isActive: Bool?

    package init(
        site: String? = nil, parent: Patch<String> = .keep, code: String? = nil, name: String? = nil,
        kind: String? = nil, position: Int? = nil, geometry: Patch<JSONValue> = .keep, details: JSONValue? = nil,
        isActive: Bool? = nil
    ) {
        self.site = site
        self.parent = parent
        self.code = code
        self.name = name
        self.kind = kind
        self.position = position
        self.geometry = geometry
        self.details = details
        self.isActive = isActive
    }

    /// Whether it says where the location is to stand.
    var moves: Bool {
        if site != nil || position != nil { return true }
        if case .keep = parent { return false }
        return true
    }
}
