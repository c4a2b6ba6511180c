#if !GEOS
import VigilModel
import VigilPorts

/// Stands where a program has no geometry: nothing is kept, and every question is refused.
struct AbsentGeometry: GeometryStore {
    func put(_ features: [GeometryFeature], in scope: AccessScope) async throws(StoreError) {}
    func remove(_ kind: String, keys: [String], in scope: AccessScope) async throws(StoreError) {}
    func removeAll(in scope: AccessScope) async throws(StoreError) {}

    func find(_ query: GeometryQuery, in scope: AccessScope) async throws(StoreError) -> [GeometryHit] {
        throw Self.refusal
    }

    func measure(_ geometry: JSONValue) async throws(StoreError) -> GeometryMeasures { throw Self.refusal }

    private static let refusal = StoreError(.invalid, "This program was built without geometry (GEOS)")
}
#endif
