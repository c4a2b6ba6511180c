package import VigilModel
import VigilPorts

extension RegistryService {
    /// A site as GeoJSON: a FeatureCollection of the site, its locations and its devices, as far as they have a place
    /// on the map and the scope shows them.
    ///
    /// Each feature says in `properties.type` what it is.
    ///
    /// A map with more than the limit of features says so in its member `truncated`.
    package func map(of reference: String, in scope: AccessScope) async throws -> JSONValue {
        let limit = limits.mapFeaturesMax
        return try await read(in: scope) { reading in
            let site = try reading.site(reference)
            var features: [JSONValue] = []
            if let geometry = site.geometry {
                features.append(
                    GeoJSON.feature(
                        site.id.description, geometry: geometry,
                        properties: ["type": .string("site"), "code": .string(site.code), "name": .string(site.name)]))
            }
            for location in try reading.tree(of: site.id).preorder {
                guard let geometry = location.geometry else { continue }
                features.append(
                    GeoJSON.feature(
                        location.id.description, geometry: geometry,
                        properties: [
                            "type": .string("location"), "code": .string(location.code),
                            "name": .string(location.name), "kind": .string(location.kind),
                            "parent": location.parent.map { .string($0.description) } ?? .null,
                        ]))
            }
            for row in try reading.transaction.rows(
                """
                \(DeviceSummary.select(at: reading.time)) WHERE d.tenant_id = \(reading.tenant) AND d.site_id = \(site.id)
                    AND d.deleted_at IS NULL AND NOT d.is_discovered AND g.latitude IS NOT NULL
                    AND \(reading.scope.shows(device: "d.id")) ORDER BY d.id LIMIT \(limit)
                """)
            {
                if let feature = try DeviceSummary(row: row).feature { features.append(feature) }
            }
            return .object([
                "type": .string("FeatureCollection"), "features": .array(Array(features.prefix(limit))),
                "truncated": .bool(features.count > limit),
            ])
        }
    }
}

extension DeviceSummary {
    fileprivate var feature: JSONValue? {
        guard let latitude, let longitude else { return nil }
        return GeoJSON.feature(
            id.description, geometry: GeoJSON.point(longitude: longitude, latitude: latitude),
            properties: [
                "type": .string("device"), "code": .string(code), "name": .string(name), "kind": .string(kind),
                "status": .string(status.rawValue), "connectionState": .string(connectionState.rawValue),
            ])
    }
}
