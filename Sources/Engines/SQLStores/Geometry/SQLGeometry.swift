#if GEOS
import GeometryKit
package import VigilModel
package import VigilPorts

/// The geometry store as a table of the relational store: the engine's boxes find candidates (R*Tree, GiST), GEOS decides.
package struct SQLGeometry: GeometryStore {
    let store: any RelationalStore

    package init(_ store: any RelationalStore) {
        self.store = store
    }

    package func put(_ features: [GeometryFeature], in scope: AccessScope) async throws(StoreError) {
        let tenant = try SQLSearch.tenant(of: scope)
        guard !features.isEmpty else { return }
        let rows = try Self.rows(of: features, tenant)
        try await Self.table.put(rows, into: store, in: scope)
    }

    private static let table = ProjectedTable(
        name: "geometry_features",
        columns: [
            "tenant_id", "kind", "key", "device_id", "location_id", "geometry", "west", "south", "east", "north",
        ], indexed: .features)

    private static func rows(of features: [GeometryFeature], _ tenant: TenantID) throws(StoreError) -> [[SQLValue]] {
        let kernel = try Self.kernel()
        var rows: [[SQLValue]] = []
        for feature in features {
            let shape = try Self.shape(feature.geometry, kernel)
            let bounds = shape.bounds
            rows.append([
                tenant.sqlValue, .text(feature.kind), .text(feature.key), feature.device?.sqlValue ?? .null,
                feature.location?.sqlValue ?? .null, feature.geometry.sqlValue, .real(bounds.west),
                .real(bounds.south), .real(bounds.east), .real(bounds.north),
            ])
        }
        return rows
    }

    package func remove(_ kind: String, keys: [String], in scope: AccessScope) async throws(StoreError) {
        try await Self.table.remove(kind, keys: keys, from: store, in: scope)
    }

    package func removeAll(in scope: AccessScope) async throws(StoreError) {
        try await Self.table.removeAll(from: store, in: scope)
    }

    package func measure(_ geometry: JSONValue) async throws(StoreError) -> GeometryMeasures {
        let kernel = try Self.kernel()
        let shape = try Self.shape(geometry, kernel)
        let (area, length) = kernel.measures(of: shape)
        guard let centre = kernel.centroid(of: shape) else {
            throw StoreError(.invalid, "A geometry has no centre")
        }
        return GeometryMeasures(area: area, length: length, longitude: centre.longitude, latitude: centre.latitude)
    }

    static func kernel() throws(StoreError) -> GeometryKernel {
        guard let kernel = GeometryKernel() else { throw StoreError(.unavailable, "There is no memory for geometry") }
        return kernel
    }

    static func shape(_ geometry: JSONValue, _ kernel: GeometryKernel) throws(StoreError) -> Shape {
        do {
            return try kernel.shape(geometry.canonicalText)
        } catch {
            throw StoreError(.invalid, "A geometry is not GeoJSON, is empty or crosses itself")
        }
    }
}
#endif
