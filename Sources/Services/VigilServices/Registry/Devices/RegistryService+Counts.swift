package import VigilModel
import VigilPorts

extension RegistryService {
    /// How many living devices of the scope are in which connection state: one statement.
    package func deviceCounts(in scope: AccessScope) async throws -> DeviceCounts {
        try await read(in: scope) { reading in
            let rows = try reading.transaction.rows(
                """
                SELECT c.state, COUNT(*) AS n FROM (
                    SELECT \(ConnectionSQL.state(at: reading.time)) AS state FROM \(ConnectionSQL.tables)
                    WHERE d.tenant_id = \(reading.tenant) AND d.deleted_at IS NULL AND NOT d.is_discovered
                        AND \(reading.scope.shows(device: "d.id"))) AS c
                GROUP BY c.state
                """)
            var counts = DeviceCounts()
            for row in rows { counts.add(try row.get("n", as: Int.self), in: try row.get("state")) }
            return counts
        }
    }

    /// All sites that have a place on the map, as GeoJSON.
    package func siteMap(in scope: AccessScope) async throws -> JSONValue {
        let page = try PageRequest(limit: PageRequest.limitMax)
        let features = try await sites(page, in: scope).items.compactMap { site in
            site.geometry.map { geometry in
                GeoJSON.feature(
                    site.id.description, geometry: geometry,
                    properties: [
                        "type": .string("site"), "code": .string(site.code), "name": .string(site.name),
                        "kind": .string(site.kind), "link": .string("/sites/\(site.code)"),
                    ])
            }
        }
        return .object(["type": .string("FeatureCollection"), "features": .array(features)])
    }
}
