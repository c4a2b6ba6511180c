package import VigilModel
import VigilPorts

/// Which places and devices are looked for: exactly one of the first four members.
package struct PlaceQuestion: Codable, Sendable, Hashable {
    /// GeoJSON: what lies in it.
    package var within: JSONValue?
    /// GeoJSON: what touches it.
    package var intersecting: JSONValue?
    /// GeoJSON: what it lies in.
    package var containing: JSONValue?
    /// GeoJSON: what is near it, the nearest first.
    package var near: JSONValue?
    /// With `near`: at most so far.
    package var metres: Double?
    /// Some of device, location, site; all when absent.
    package var kinds: [String]?
    /// At most 1000; 100 when absent.
    package var limit: Int?

    package init(near: JSONValue, metres: Double?, kinds: [String], limit: Int?) {
        self.near = near
        self.metres = metres
        self.kinds = kinds
        self.limit = limit
    }
}

/// What a geometry measures on the ellipsoid.
package struct GeometryFigures: Codable, Sendable, Hashable {
    /// Square metres.
    package var area: Double
    /// Metres: of a line, or of all rings of polygons.
    package var length: Double
    /// GeoJSON.
    package var centroid: JSONValue
}

extension SearchService {
    static let placedKinds = ["device", "location", "site"]
    static let positionsMax = 20_000

    /// What stands to a geometry as asked, as a GeoJSON FeatureCollection: each feature with its kind, code and name,
    /// and the metres to it when they were asked for.
    package func places(_ question: PlaceQuestion, by principal: Principal) async throws -> JSONValue {
        let limit = question.limit ?? 100
        guard (1...1000).contains(limit) else { throw ServiceError.invalid("limit", "must be 1 to 1000") }
        let kinds = try Self.kinds(question.kinds ?? [], of: Self.placedKinds, by: principal)
        let query = GeometryQuery(try Self.relation(question), kinds: kinds, limit: limit)
        let scope = try principal.requiredScope()
        let hits: [GeometryHit]
        do {
            hits = try await geometry.find(query, in: scope)
        } catch {
            throw error.code == .invalid ? Self.crossing : error as any Error
        }
        return try await collection(hits, in: scope)
    }

    package func measure(_ value: JSONValue) async throws -> GeometryFigures {
        let shape = try Self.checked(value, "geometry")
        do {
            let measures = try await geometry.measure(shape)
            return GeometryFigures(
                area: measures.area, length: measures.length,
                centroid: GeoJSON.point(longitude: measures.longitude, latitude: measures.latitude))
        } catch {
            throw error.code == .invalid ? Self.crossing : error as any Error
        }
    }

    private static var crossing: ServiceError {
        .invalid("geometry", "crosses itself or is empty", code: "geometry.invalid")
    }

    private static func checked(_ value: JSONValue, _ field: String) throws(ServiceError) -> JSONValue {
        try GeoJSON.checked(value, kinds: Set(GeoJSON.Kind.allCases), positionsMax: positionsMax, field: field)
    }

    private static func relation(_ question: PlaceQuestion) throws(ServiceError) -> GeometryQuery.Relation {
        let given = [question.within, question.intersecting, question.containing, question.near].compactMap { $0 }
        guard given.count == 1 else {
            throw .invalid(
                "within", "must be given, or intersecting, containing or near instead: exactly one of them",
                code: "geometry.question")
        }
        if question.metres != nil, question.near == nil {
            throw .invalid("metres", "only goes with near", code: "geometry.question")
        }
        if let shape = question.within { return .within(try checked(shape, "within")) }
        if let shape = question.intersecting { return .intersecting(try checked(shape, "intersecting")) }
        if let shape = question.containing { return .containing(try checked(shape, "containing")) }
        let shape = try checked(given[0], "near")
        guard let metres = question.metres else { return .nearest(shape) }
        guard metres.isFinite, metres >= 0, metres <= 1_000_000 else {
            throw .invalid("metres", "must be 0 to 1000000", code: "geometry.metres")
        }
        return .withinDistance(shape, metres: metres)
    }

    private func collection(_ hits: [GeometryHit], in scope: AccessScope) async throws -> JSONValue {
        let names = try await names(of: hits, in: scope)
        let features = hits.compactMap { hit -> JSONValue? in
            // What was deleted since the projection was written is no longer there.
            guard var properties = names[hit.kind + hit.key] else { return nil }
            properties["type"] = .string(hit.kind)
            if let distance = hit.distance { properties["metres"] = .number(distance) }
            return GeoJSON.feature(hit.key, geometry: hit.geometry, properties: properties)
        }
        return .object(["type": .string("FeatureCollection"), "features": .array(features)])
    }

    /// Code, name and kind of each, by kind and key.
    private func names(of hits: [GeometryHit], in scope: AccessScope) async throws -> [String: [String: JSONValue]] {
        guard let tenant = scope.tenant else { return [:] }
        return try await relational.read(in: scope) { transaction in
            var names: [String: [String: JSONValue]] = [:]
            for kind in Self.placedKinds {
                let ids = hits.filter { $0.kind == kind }.compactMap { DeviceID($0.key) }
                guard !ids.isEmpty else { continue }
                let isThere: SQL = kind == "device" ? SQL("deleted_at IS NULL") : SQL("is_active IS NOT NULL")
                for row in try transaction.rows(
                    """
                    SELECT id, COALESCE(code, '') AS code, name, kind FROM \(SQL(unchecked: kind + "s"))
                    WHERE tenant_id = \(tenant) AND id IN \(ids) AND \(isThere)
                    """)
                {
                    names[kind + (try row.get("id", as: String.self))] = [
                        "code": .string(try row.get("code")), "name": .string(try row.get("name")),
                        "kind": .string(try row.get("kind")),
                    ]
                }
            }
            return names
        }
    }
}
