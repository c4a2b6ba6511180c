package import VigilModel

/// Finds things by where they are.
///
/// A projection: it is filled from the truth and can be filled anew at any time. The tenant of every call is the
/// scope's; a scope without a tenant is refused with `invalid`.
///
/// Geometries are GeoJSON in WGS 84, longitude before latitude. Which geometries touch is decided in the plane of
/// longitude and latitude. Distances, lengths and areas are those of the ellipsoid, in metres: stores agree within one
/// part in a thousand.
package protocol GeometryStore: Sendable {
    /// Stores features, all of them or none.
    ///
    /// One of the same kind and key replaces the earlier one. A geometry that is not GeoJSON, or not valid (a polygon
    /// that crosses itself), throws `invalid`.
    func put(_ features: [GeometryFeature], in scope: AccessScope) async throws(StoreError)

    /// Removes features of a kind. Removing what is not there is no error.
    func remove(_ kind: String, keys: [String], in scope: AccessScope) async throws(StoreError)

    /// Removes all features of the tenant.
    func removeAll(in scope: AccessScope) async throws(StoreError)

    /// The features that stand to a geometry as the query says, at most as many as it asks for.
    ///
    /// Those found by distance come the nearest first and tell it; the others in the order of kind and key. Only the
    /// kinds that are asked for are returned. Nothing that the scope hides is returned.
    func find(_ query: GeometryQuery, in scope: AccessScope) async throws(StoreError) -> [GeometryHit]

    /// The area, length and centre of a geometry.
    ///
    /// A line has a length and no area, a polygon an area and the length of its rings, a point neither.
    func measure(_ geometry: JSONValue) async throws(StoreError) -> GeometryMeasures
}

/// Something with a place.
package struct GeometryFeature: Sendable, Hashable {
    /// What it is: `device`, `site`, `location`.
    package var kind: String
    package var key: String
    /// Whose visibility decides who may find it: of neither, only those who see the whole tenant.
    package var device: DeviceID?
    package var location: LocationID?
    /// GeoJSON: a Point, LineString, Polygon or a Multi… of them.
    package var geometry: JSONValue

    package init(
        kind: String, key: String, device: DeviceID? = nil, location: LocationID? = nil, geometry: JSONValue
    ) {
        self.kind = kind
        self.key = key
        self.device = device
        self.location = location
        self.geometry = geometry
    }
}

/// Which features are looked for.
package struct GeometryQuery: Sendable, Hashable {
    package static let limitMax = 5000

    package enum Relation: Sendable, Hashable {
        /// Features that lie in the geometry; its edge belongs to it.
        case within(JSONValue)
        /// Features that the geometry lies in; their edge belongs to them.
        case containing(JSONValue)
        /// Features that share at least one point with the geometry.
        case intersecting(JSONValue)
        /// Features at most this many metres away.
        case withinDistance(JSONValue, metres: Double)
        /// The nearest features, however far.
        case nearest(JSONValue)
    }

    package var relation: Relation
    /// Only these kinds; all when empty.
    package var kinds: Set<String>
    package var limit: Int

    package init(_ relation: Relation, kinds: Set<String> = [], limit: Int = 100) {
        self.relation = relation
        self.kinds = kinds
        self.limit = limit
    }
}

package struct GeometryHit: Sendable, Hashable {
    package let kind: String
    package let key: String
    /// Metres, for those found by distance.
    package let distance: Double?
    package let geometry: JSONValue

    package init(kind: String, key: String, distance: Double?, geometry: JSONValue) {
        self.kind = kind
        self.key = key
        self.distance = distance
        self.geometry = geometry
    }
}

package struct GeometryMeasures: Sendable, Hashable {
    /// Square metres.
    package let area: Double
    /// Metres: of a line, or of all rings of polygons.
    package let length: Double
    package let longitude: Double
    package let latitude: Double

    package init(area: Double, length: Double, longitude: Double, latitude: Double) {
        self.area = area
        self.length = length
        self.longitude = longitude
        self.latitude = latitude
    }
}

/// A rectangle of longitudes and latitudes.
package struct GeometryBox: Sendable, Hashable {
    package var west: Double
    package var south: Double
    package var east: Double
    package var north: Double

    package init(west: Double, south: Double, east: Double, north: Double) {
        self.west = west
        self.south = south
        self.east = east
        self.north = north
    }
}
