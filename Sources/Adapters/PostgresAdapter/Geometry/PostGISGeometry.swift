package import VigilModel
package import VigilPorts

/// The geometry store on PostGIS: its indexes find, and it decides.
///
/// It keeps its features in the same table as the store without PostGIS, so that either can take over from the other.
package struct PostGISGeometry: GeometryStore {
    private let store: PostgresStore
    /// Writes and removes: checks geometries before they reach a table, in the same words.
    private let table: any GeometryStore

    /// - Parameter table: The store of the same table that does not need PostGIS.
    package init(_ store: PostgresStore, table: any GeometryStore) {
        self.store = store
        self.table = table
    }

    /// Whether the database has the extension; the migration that makes the table has then indexed it.
    package static func isAvailable(_ store: PostgresStore) async throws(StoreError) -> Bool {
        do {
            return try await store.read(in: SystemScope.allTenants("looking for PostGIS")) { transaction in
                try !transaction.rows(
                    """
                    SELECT 1 AS one FROM pg_extension JOIN pg_class ON relname = 'geometry_features_shape'
                    WHERE extname = 'postgis'
                    """
                ).isEmpty
            }
        } catch {
            throw PostgresStore.storeError(error)
        }
    }

    package func put(_ features: [GeometryFeature], in scope: AccessScope) async throws(StoreError) {
        try await table.put(features, in: scope)
    }

    package func remove(_ kind: String, keys: [String], in scope: AccessScope) async throws(StoreError) {
        try await table.remove(kind, keys: keys, in: scope)
    }

    package func removeAll(in scope: AccessScope) async throws(StoreError) {
        try await table.removeAll(in: scope)
    }

    package func find(_ query: GeometryQuery, in scope: AccessScope) async throws(StoreError) -> [GeometryHit] {
        guard let tenant = scope.tenant else { throw StoreError(.invalid, "This needs a scope with a tenant") }
        guard query.limit <= GeometryQuery.limitMax else {
            throw StoreError(
                .limit, "Too many features are asked for", details: ["limit": String(GeometryQuery.limitMax)])
        }
        guard query.limit > 0 else { return [] }
        do {
            return try await store.read(in: scope) { transaction in
                try transaction.rows(Self.statement(query, tenant, scope)).map { row in
                    GeometryHit(
                        kind: try row.get("kind"), key: try row.get("key"), distance: try row.optional("distance"),
                        geometry: try row.get("geometry"))
                }
            }
        } catch {
            throw Self.mapped(error)
        }
    }

    package func measure(_ geometry: JSONValue) async throws(StoreError) -> GeometryMeasures {
        let shape = Self.shape(geometry)
        do {
            return try await store.read(in: SystemScope.allTenants("measuring a geometry")) { transaction in
                guard
                    let row = try transaction.rows(
                        """
                        SELECT ST_IsValid(g) AS valid, ST_Area(geography(g)) AS area,
                            CASE WHEN ST_Dimension(g) = 2 THEN ST_Perimeter(geography(g))
                                ELSE ST_Length(geography(g)) END AS length,
                            ST_X(ST_Centroid(g)) AS x, ST_Y(ST_Centroid(g)) AS y
                        FROM (SELECT \(shape) AS g) AS given
                        """
                    ).first, try row.get("valid", as: Bool.self)
                else { throw Self.malformed }
                return GeometryMeasures(
                    area: try row.get("area"), length: try row.get("length"), longitude: try row.get("x"),
                    latitude: try row.get("y"))
            }
        } catch {
            throw Self.mapped(error)
        }
    }

    // MARK: Statements

    private static func shape(_ geometry: JSONValue) -> SQL { "ST_GeomFromGeoJSON(CAST(\(geometry) AS jsonb))" }

    /// The column as it is indexed.
    private static let stored: SQL = "ST_GeomFromGeoJSON(geometry)"

    private static func statement(_ query: GeometryQuery, _ tenant: TenantID, _ scope: AccessScope) -> SQL {
        var conditions: [SQL] = ["tenant_id = \(tenant)"]
        if case .assigned(let devices, let locations) = scope.visibility {
            conditions.append("(device_id IN \(devices) OR location_id IN \(locations))")
        }
        if !query.kinds.isEmpty { conditions.append("kind IN \(query.kinds.sorted())") }
        var distance: SQL = "CAST(NULL AS double precision)"
        var order: SQL = "kind, key"
        switch query.relation {
        // The functions find by the index, which row security would keep the conditions from.
        case .within(let geometry):
            conditions += [touching(geometry), "ST_CoveredBy(\(stored), \(shape(geometry)))"]
        case .containing(let geometry):
            conditions += [touching(geometry), "ST_Covers(\(stored), \(shape(geometry)))"]
        case .intersecting(let geometry):
            conditions += [touching(geometry), "ST_Intersects(\(stored), \(shape(geometry)))"]
        case .withinDistance(let geometry, let metres):
            conditions.append("number IN (SELECT geometry_around(geography(\(shape(geometry))), \(metres)))")
            distance = "ST_Distance(geography(\(stored)), geography(\(shape(geometry))))"
            order = "distance, kind, key"
        case .nearest(let geometry):
            return nearest(query, geometry, scope)
        }
        return """
            SELECT kind, key, geometry, \(distance) AS distance FROM geometry_features
            WHERE \(conditions.joined(" AND ")) ORDER BY \(order) LIMIT \(query.limit)
            """
    }

    private static func touching(_ geometry: JSONValue) -> SQL {
        "number IN (SELECT geometry_touching(\(shape(geometry))))"
    }

    /// The index knows the order on the sphere only: more are taken from it than asked for, and put in their true order.
    private static func nearest(_ query: GeometryQuery, _ geometry: JSONValue, _ scope: AccessScope) -> SQL {
        var (seesAll, devices, locations) = (true, [SQLValue](), [SQLValue]())
        if case .assigned(let some, let places) = scope.visibility {
            (seesAll, devices, locations) = (false, some.map(\.sqlValue), places.map(\.sqlValue))
        }
        let kinds = query.kinds.sorted().map(SQLValue.text)
        return """
            SELECT kind, key, geometry, ST_Distance(geography(\(stored)), geography(\(shape(geometry)))) AS distance
            FROM geometry_features
            WHERE number IN (SELECT geometry_nearest(geography(\(shape(geometry))),
                CAST(\(WireArray.literal(kinds)) AS text[]), \(seesAll), CAST(\(WireArray.literal(devices)) AS uuid[]),
                CAST(\(WireArray.literal(locations)) AS uuid[]), \(query.limit * 2 + 50)))
            ORDER BY distance, kind, key LIMIT \(query.limit)
            """
    }

    // MARK: Errors

    private static var malformed: StoreError {
        StoreError(.invalid, "A geometry is not GeoJSON, is empty or crosses itself")
    }

    private static func mapped(_ error: any Error) -> StoreError {
        let error = PostgresStore.storeError(error)
        return error.code == .internalFault && error.details["sqlstate"] == "XX000" ? malformed : error
    }
}
