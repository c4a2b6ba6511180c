import VigilModel

/// Checks geometries as RFC 7946 writes them: longitude before latitude, WGS 84.
enum GeoJSON {
    /// What a thing's geometry may be.
    enum Kind: String, CaseIterable {
        case point = "Point"
        case lineString = "LineString"
        case multiLineString = "MultiLineString"
        case polygon = "Polygon"
        case multiPolygon = "MultiPolygon"
    }

    /// The geometry itself when it is right.
    ///
    /// - Throws: `invalid` naming what is wrong: the type, a position out of range, a ring that is not closed or has
    ///   fewer than four positions, or more than `positionsMax` positions.
    static func checked(_ value: JSONValue, kinds: Set<Kind>, positionsMax: Int, field: String = "geometry")
        throws(ServiceError) -> JSONValue
    {
        guard let kind = value["type"]?.text.flatMap(Kind.init(rawValue:)), kinds.contains(kind),
            let coordinates = value["coordinates"]
        else {
            let allowed = kinds.map(\.rawValue).sorted().joined(separator: ", ")
            throw .invalid(field, "must be a GeoJSON geometry of type \(allowed)", code: "geometry.type")
        }
        var check = Check(field: field, positionsLeft: positionsMax)
        switch kind {
        case .point: try check.position(coordinates)
        case .lineString: try check.line(coordinates)
        case .multiLineString: for line in try check.list(coordinates) { try check.line(line) }
        case .polygon: try check.polygon(coordinates)
        case .multiPolygon: for polygon in try check.list(coordinates) { try check.polygon(polygon) }
        }
        // Only what is understood is kept: no foreign members, no `crs`.
        return .object(["type": .string(kind.rawValue), "coordinates": coordinates])
    }

    static func point(longitude: Double, latitude: Double) -> JSONValue {
        .object(["type": .string("Point"), "coordinates": .array([.number(longitude), .number(latitude)])])
    }

    static func feature(_ id: String, geometry: JSONValue, properties: [String: JSONValue]) -> JSONValue {
        .object([
            "type": .string("Feature"), "id": .string(id), "geometry": geometry, "properties": .object(properties),
        ])
    }

    private struct Check {
        let field: String
        var positionsLeft: Int

        func list(_ value: JSONValue) throws(ServiceError) -> [JSONValue] {
            guard let elements = value.elements, !elements.isEmpty else {
                throw .invalid(field, "has coordinates that are not nested as its type says", code: "geometry.nesting")
            }
            return elements
        }

        mutating func position(_ value: JSONValue) throws(ServiceError) {
            positionsLeft -= 1
            guard positionsLeft >= 0 else {
                throw .invalid(field, "has more positions than the limit", code: "geometry.limit")
            }
            let numbers = try list(value)
            guard (2...3).contains(numbers.count), let longitude = numbers[0].double, let latitude = numbers[1].double,
                numbers.allSatisfy({ $0.double?.isFinite == true })
            else { throw .invalid(field, "has a position that is not two or three numbers", code: "geometry.position") }
            guard (-180...180).contains(longitude), (-90...90).contains(latitude) else {
                throw .invalid(
                    field, "has a position that is not longitude −180 to 180, latitude −90 to 90",
                    code: "geometry.position")
            }
        }

        mutating func line(_ value: JSONValue) throws(ServiceError) {
            let positions = try list(value)
            guard positions.count >= 2 else {
                throw .invalid(field, "has a line of fewer than two positions", code: "geometry.line")
            }
            for element in positions { try position(element) }
        }

        mutating func polygon(_ value: JSONValue) throws(ServiceError) {
            for ring in try list(value) {
                let positions = try list(ring)
                guard positions.count >= 4, positions.first == positions.last else {
                    throw .invalid(
                        field, "has a ring that is not closed, or of fewer than four positions", code: "geometry.ring")
                }
                for element in positions { try position(element) }
            }
        }
    }
}
