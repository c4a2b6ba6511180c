import VigilModel
package import VigilPorts

/// The contract of `GeometryStore`.
package enum GeometryContract {
    package typealias Clause = StoreClause<any GeometryStore>

    package static var clauses: [Clause] { filling + relations + distances + measures + scopes }

    /// How far a figure may be from the one that PROJ's geodesics give.
    static let tolerance = 0.001

    struct Room {
        let store: any GeometryStore
        let scope = AccessScope(tenant: TenantID(at: Timestamp(seconds: 1_700_000_000)))

        init(_ store: any GeometryStore) { self.store = store }

        func put(_ features: [String: JSONValue], kind: String = "device") async throws {
            try await store.put(
                features.map { GeometryFeature(kind: kind, key: $0.key, geometry: $0.value) }, in: scope)
        }

        func keys(_ relation: GeometryQuery.Relation, kinds: Set<String> = [], limit: Int = 100) async throws
            -> [String]
        {
            try await store.find(GeometryQuery(relation, kinds: kinds, limit: limit), in: scope).map(\.key)
        }
    }

    static func point(_ longitude: Double, _ latitude: Double) -> JSONValue {
        .object(["type": .string("Point"), "coordinates": position((longitude, latitude))])
    }

    static func line(_ positions: [(Double, Double)]) -> JSONValue {
        .object(["type": .string("LineString"), "coordinates": .array(positions.map(position))])
    }

    static func polygon(_ rings: [(Double, Double)]...) -> JSONValue {
        let rings = rings.map { ring in JSONValue.array((ring + ring.prefix(1)).map(position)) }
        return .object(["type": .string("Polygon"), "coordinates": .array(rings)])
    }

    static func square(_ west: Double, _ south: Double, _ side: Double) -> JSONValue {
        polygon([(west, south), (west + side, south), (west + side, south + side), (west, south + side)])
    }

    private static func position(_ pair: (Double, Double)) -> JSONValue { .array([.number(pair.0), .number(pair.1)]) }

    static func close(_ value: Double?, _ expected: Double, _ what: String) throws {
        guard let value, abs(value - expected) <= max(abs(expected) * tolerance, 0.01) else {
            throw ContractBroken("\(what) is \(value.map(String.init(describing:)) ?? "nothing"), not \(expected)")
        }
    }

    private static var filling: [Clause] {
        [
            Clause("geometry/put", "A feature is found until it is removed, and comes back with its geometry") {
                store in
                let room = Room(store)
                try await room.put(["a": point(2.5, 3.25)])
                let hits = try await store.find(GeometryQuery(.within(square(0, 0, 5))), in: room.scope)
                try require(
                    hits, is: [GeometryHit(kind: "device", key: "a", distance: nil, geometry: point(2.5, 3.25))])
                try await store.remove("device", keys: ["a", "none"], in: room.scope)
                try require(try await room.keys(.within(square(0, 0, 5))), is: [])
            },
            Clause("geometry/replace", "A feature of the same kind and key replaces the earlier one") { store in
                let room = Room(store)
                try await room.put(["a": point(2, 3)])
                try await room.put(["a": point(20, 30)])
                try await room.put(["a": point(2, 2)], kind: "site")
                try require(
                    try await store.find(GeometryQuery(.within(square(0, 0, 5))), in: room.scope).map(\.kind),
                    is: ["site"])
                try require(try await room.keys(.within(square(18, 28, 5))), is: ["a"])
            },
            Clause("geometry/malformed", "What is not GeoJSON, or crosses itself, throws invalid and nothing is kept") {
                store in
                let room = Room(store)
                let bow = polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
                for wrong in [
                    bow, .object(["type": .string("Circle")]), .string("POINT(1 2)"), .emptyObject,
                    .object(["type": .string("Point"), "coordinates": .array([.string("a")])]),
                ] {
                    try await requireError(.invalid) { try await room.put(["a": point(1, 1), "b": wrong]) }
                }
                try await requireError(.invalid) { _ = try await store.measure(bow) }
                try require(try await room.keys(.nearest(point(1, 1))), is: [])
            },
            Clause("geometry/remove-all", "All features of the tenant are removed, and nothing of others") { store in
                let (room, other) = (Room(store), Room(store))
                try await room.put(["a": point(1, 1)])
                try await other.put(["b": point(1, 1)])
                try await store.removeAll(in: room.scope)
                try require(try await room.keys(.nearest(point(1, 1))), is: [])
                try require(try await other.keys(.nearest(point(1, 1))), is: ["b"])
            },
        ]
    }

    private static var relations: [Clause] {
        [
            Clause("geometry/within", "What lies in the geometry is found; its edge belongs to it, a hole does not") {
                store in
                let room = Room(store)
                try await room.put([
                    "inside": point(1, 1), "edge": point(0, 5), "corner": point(10, 10), "hole": point(5, 5),
                    "outside": point(10.001, 5), "line": line([(1, 1), (2, 8)]), "crossing": line([(8, 8), (12, 8)]),
                    "square": square(7, 7, 2),
                ])
                let area = polygon(
                    [(0, 0), (10, 0), (10, 10), (0, 10)], [(4, 4), (6, 4), (6, 6), (4, 6)])
                try require(
                    try await room.keys(.within(area)), is: ["corner", "edge", "inside", "line", "square"])
            },
            Clause("geometry/containing", "What the geometry lies in is found; its edge belongs to it") { store in
                let room = Room(store)
                try await room.put([
                    "large": square(0, 0, 10), "small": square(2, 2, 2), "touching": square(3, 3, 2),
                    "far": square(20, 20, 2), "point": point(3, 3),
                ])
                try require(
                    try await room.keys(.containing(point(3, 3))), is: ["large", "point", "small", "touching"])
                try require(try await room.keys(.containing(square(2.5, 2.5, 1))), is: ["large", "small"])
            },
            Clause("geometry/intersecting", "What shares at least one point is found") { store in
                let room = Room(store)
                try await room.put([
                    "crossing": line([(-1, 1), (3, 1)]), "touching": square(2, 0, 2), "inside": point(1, 1),
                    "apart": square(2.1, 2.1, 1), "boxes only": line([(1.9, 3), (3, 1.9)]),
                ])
                try require(
                    try await room.keys(.intersecting(square(0, 0, 2))), is: ["crossing", "inside", "touching"])
            },
            Clause("geometry/kinds", "Only the kinds asked for are found, at most as many as asked") { store in
                let room = Room(store)
                try await room.put(["a": point(1, 1), "b": point(1, 2), "c": point(1, 3)])
                try await room.put(["d": point(1, 1)], kind: "site")
                let area = square(0, 0, 9)
                try require(try await room.keys(.within(area), kinds: ["site"]), is: ["d"])
                try require(try await room.keys(.within(area), kinds: ["device"], limit: 2), is: ["a", "b"])
                try await requireError(.limit) {
                    _ = try await room.keys(.within(area), limit: GeometryQuery.limitMax + 1)
                }
            },
        ]
    }

    private static var distances: [Clause] {
        [
            Clause("geometry/within-distance", "What is at most so many metres away is found, the nearest first") {
                store in
                let room = Room(store)
                // Degrees of longitude are half as long at 60° north: 0.01° is 557.8 m there.
                try await room.put([
                    "here": point(25, 60), "east": point(25.008, 60), "farther": point(25.01, 60),
                    "north": point(25, 60.004), "line": line([(24.99, 60.001), (25.01, 60.001)]),
                ])
                let near = try await store.find(
                    GeometryQuery(.withinDistance(point(25, 60), metres: 500)), in: room.scope)
                try require(near.map(\.key), is: ["here", "line", "north", "east"])
                for (hit, expected) in zip(near, [0, 111.42, 445.68, 446.40]) {
                    try close(hit.distance, expected, hit.key)
                }
                try require(
                    try await room.keys(.withinDistance(point(25, 60), metres: 600)),
                    is: ["here", "line", "north", "east", "farther"])
            },
            Clause("geometry/distance-area", "A distance is from the nearest edge, and zero inside") { store in
                let room = Room(store)
                try await room.put(["a": square(10, 45, 0.01), "b": line([(10, 45.02), (10.03, 45.02)])])
                let inside = try await store.find(
                    GeometryQuery(.withinDistance(point(10.005, 45.005), metres: 10)), in: room.scope)
                try require(inside.map(\.distance), is: [0])
                let outside = try await store.find(GeometryQuery(.nearest(point(10.02, 45.005))), in: room.scope)
                try require(outside.map(\.key), is: ["a", "b"])
                try close(outside.first?.distance, 788.4, "the way to the square")
                try close(outside.last?.distance, 1667.0, "the way to the line")
            },
            Clause("geometry/nearest", "The nearest are found, however far, in their true order") { store in
                let room = Room(store)
                try await room.put([
                    "paris": point(2.3522, 48.8566), "london": point(-0.1276, 51.5072),
                    "sydney": point(151.2093, -33.8688), "bonn": point(7.0982, 50.7374),
                ])
                let hits = try await store.find(
                    GeometryQuery(.nearest(point(4.3517, 50.8503)), limit: 4), in: room.scope)
                try require(hits.map(\.key), is: ["bonn", "paris", "london", "sydney"])
                for (hit, expected) in zip(hits, [194_158.0, 264_040.0, 320_912.0, 16_736_000.0]) {
                    guard let distance = hit.distance else { throw ContractBroken("no distance") }
                    try require(abs(distance - expected) < expected * 0.005, "\(hit.key) is \(distance) m away")
                }
                try require(try await room.keys(.nearest(point(4.3517, 50.8503)), limit: 2), is: ["bonn", "paris"])
            },
            Clause("geometry/antimeridian", "The nearest may lie across the antimeridian or the pole") { store in
                let room = Room(store)
                try await room.put(["fiji": point(179.99, -17), "samoa": point(-179.99, -17), "pole": point(90, 89.99)])
                try require(
                    try await room.keys(.withinDistance(point(179.999, -17), metres: 3000)), is: ["fiji", "samoa"])
                try require(
                    try await room.keys(.withinDistance(point(-90, 89.99), metres: 3000)), is: ["pole"])
            },
        ]
    }

    private static var measures: [Clause] {
        [
            Clause("geometry/measure-area", "A polygon has an area, without its holes, and the length of its rings") {
                store in
                // One degree at the equator, and a square of 0.01° at 60° north.
                try close(try await store.measure(square(0, 0, 1)).area, 12_308_778_361, "the area of a degree")
                let small = try await store.measure(square(25, 60, 0.01))
                try close(small.area, 621_346, "the area in the north")
                try close(small.length, 3343.9, "the length around it")
                let ring = try await store.measure(
                    polygon(
                        [(0, 0), (1, 0), (1, 1), (0, 1)], [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]))
                try close(ring.area, 12_308_778_361 * 0.75, "the area without the hole")
            },
            Clause("geometry/measure-line", "A line has a length and no area, a point neither") { store in
                let line = try await store.measure(line([(0, 0), (1, 0), (1, 1)]))
                try close(line.length, 111_319.49 + 110_574.39, "the length")
                try require(line.area, is: 0)
                let point = try await store.measure(point(7, 8))
                try require([point.area, point.length, point.longitude, point.latitude], is: [0, 0, 7, 8])
            },
            Clause("geometry/centroid", "The centre is that of the plane of longitude and latitude") { store in
                let measures = try await store.measure(polygon([(0, 0), (6, 0), (6, 2), (2, 2), (2, 6), (0, 6)]))
                try close(measures.longitude, 2.2, "the longitude")
                try close(measures.latitude, 2.2, "the latitude")
            },
        ]
    }

    private static var scopes: [Clause] {
        [
            Clause("geometry/tenant", "Nothing of another tenant is found or removed") { store in
                let (room, other) = (Room(store), Room(store))
                try await room.put(["a": point(1, 1)])
                try await other.put(["b": point(1, 1)])
                try await store.remove("device", keys: ["b"], in: room.scope)
                try require(try await room.keys(.within(square(0, 0, 2))), is: ["a"])
                try require(try await other.keys(.nearest(point(0, 0))), is: ["b"])
            },
            Clause("geometry/visibility", "Of some devices or places, only what belongs to them is found") { store in
                let room = Room(store)
                guard let tenant = room.scope.tenant else { return }
                let (device, place) = (DeviceID(high: 1, low: 1), LocationID(high: 2, low: 1))
                try await store.put(
                    [
                        GeometryFeature(kind: "device", key: "a", device: device, geometry: point(1, 1)),
                        GeometryFeature(kind: "location", key: "b", location: place, geometry: point(1, 1)),
                        GeometryFeature(kind: "site", key: "c", geometry: point(1, 1)),
                    ], in: room.scope)
                for (devices, locations, expected) in [
                    (Set([device]), Set<LocationID>(), ["a"]), (Set(), Set([place]), ["b"]), (Set(), Set(), []),
                ] {
                    let scope = AccessScope(
                        tenant: tenant, visibility: .assigned(devices: devices, locations: locations))
                    for relation in [GeometryQuery.Relation.within(square(0, 0, 2)), .nearest(point(0, 0))] {
                        try require(
                            try await store.find(GeometryQuery(relation), in: scope).map(\.key), is: expected)
                    }
                }
            },
            Clause("geometry/no-tenant", "A scope without a tenant is refused with invalid") { store in
                let scope = SystemScope.allTenants("holding a store to its contract")
                try await requireError(.invalid) {
                    _ = try await store.find(GeometryQuery(.nearest(point(1, 1))), in: scope)
                }
                try await requireError(.invalid) { try await store.removeAll(in: scope) }
            },
        ]
    }
}
