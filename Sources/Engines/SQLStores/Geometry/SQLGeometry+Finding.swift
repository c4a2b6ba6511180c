#if GEOS
import Foundation
import GeometryKit
package import VigilModel
package import VigilPorts

extension SQLGeometry {
    package func find(_ query: GeometryQuery, in scope: AccessScope) async throws(StoreError) -> [GeometryHit] {
        let tenant = try SQLSearch.tenant(of: scope)
        guard query.limit <= GeometryQuery.limitMax else {
            throw StoreError(
                .limit, "Too many features are asked for", details: ["limit": String(GeometryQuery.limitMax)])
        }
        return try await SQLSearch.typed {
            try await store.read(.recent, in: scope) { transaction in
                try Search(query, tenant, transaction).hits()
            }
        }
    }

    /// One question inside one transaction.
    private struct Search {
        let query: GeometryQuery
        let tenant: TenantID
        let transaction: any SQLTransaction
        let kernel: GeometryKernel

        init(_ query: GeometryQuery, _ tenant: TenantID, _ transaction: any SQLTransaction) throws {
            self.query = query
            self.tenant = tenant
            self.transaction = transaction
            kernel = try SQLGeometry.kernel()
        }

        func hits() throws -> [GeometryHit] {
            guard query.limit > 0 else { return [] }
            switch query.relation {
            case .within(let geometry):
                let area = try SQLGeometry.shape(geometry, kernel)
                return try related(to: area) { kernel.covers(area, $0) }
            case .containing(let geometry):
                let inner = try SQLGeometry.shape(geometry, kernel)
                return try related(to: inner) { kernel.covers($0, inner) }
            case .intersecting(let geometry):
                let other = try SQLGeometry.shape(geometry, kernel)
                return try related(to: other) { kernel.intersects($0, other) }
            case .withinDistance(let geometry, let metres):
                let centre = try SQLGeometry.shape(geometry, kernel)
                return Array(try near(centre, metres).prefix(query.limit))
            case .nearest(let geometry):
                return try nearest(to: try SQLGeometry.shape(geometry, kernel))
            }
        }

        /// Those whose box touches the shape's and that `decides` takes, in the order of kind and key.
        private func related(to shape: Shape, _ decides: (Shape) -> Bool) throws -> [GeometryHit] {
            let bounds = shape.bounds
            let box = GeometryBox(west: bounds.west, south: bounds.south, east: bounds.east, north: bounds.north)
            var result: [GeometryHit] = []
            try forEachCandidate([box]) { row, candidate in
                if decides(candidate) { result.append(try Self.hit(row, distance: nil)) }
                return result.count < query.limit
            }
            return result
        }

        /// Those at most `metres` away, the nearest first.
        private func near(_ shape: Shape, _ metres: Double) throws -> [GeometryHit] {
            var result: [GeometryHit] = []
            try forEachCandidate(Self.boxes(around: shape, metres: metres)) { row, candidate in
                let distance = kernel.distance(shape, candidate)
                if distance <= metres { result.append(try Self.hit(row, distance: distance)) }
                return true
            }
            return result.sorted { ($0.distance ?? 0, $0.kind, $0.key) < ($1.distance ?? 0, $1.kind, $1.key) }
        }

        /// Looks around in wider and wider circles until there are enough.
        private func nearest(to shape: Shape) throws -> [GeometryHit] {
            var metres = 500.0
            while true {
                let hits = try near(shape, metres)
                if hits.count >= query.limit || metres >= Geodesy.distanceMax { return Array(hits.prefix(query.limit)) }
                metres = min(metres * 8, Geodesy.distanceMax)
            }
        }

        private func forEachCandidate(_ boxes: [GeometryBox], _ visit: (SQLRow, Shape) throws -> Bool) throws {
            var conditions: [SQL] = [
                "tenant_id = \(tenant)", transaction.scope.visibilitySQL("geometry_features"),
                transaction.dialect.boxTouches(boxes),
            ]
            if !query.kinds.isEmpty { conditions.append("kind IN \(query.kinds.sorted())") }
            try transaction.forEachRow(
                """
                SELECT kind, key, geometry FROM geometry_features WHERE \(conditions.joined(" AND "))
                ORDER BY kind, key
                """
            ) { row in
                try visit(row, try SQLGeometry.shape(try row.get("geometry"), kernel))
            }
        }

        private static func hit(_ row: SQLRow, distance: Double?) throws -> GeometryHit {
            GeometryHit(
                kind: try row.get("kind"), key: try row.get("key"), distance: distance,
                geometry: try row.get("geometry"))
        }

        /// Boxes that hold everything within `metres`: two where they would reach over the antimeridian.
        private static func boxes(around shape: Shape, metres: Double) -> [GeometryBox] {
            let bounds = shape.bounds
            // The shortest degree of latitude has 110,574 m, of longitude 111,320 m times the cosine; some room beside.
            let tall = metres / 110_500 + 1e-6
            let (south, north) = (max(-90, bounds.south - tall), min(90, bounds.north + tall))
            let widest = max(abs(south), abs(north))
            let cosine = cos(widest * .pi / 180)
            let wide = cosine > 0.001 ? metres / (111_000 * cosine) + 1e-6 : 360
            let (west, east) = (bounds.west - wide, bounds.east + wide)
            if east - west >= 360 { return [GeometryBox(west: -180, south: south, east: 180, north: north)] }
            if west < -180 {
                return [
                    GeometryBox(west: -180, south: south, east: east, north: north),
                    GeometryBox(west: west + 360, south: south, east: 180, north: north),
                ]
            }
            if east > 180 {
                return [
                    GeometryBox(west: west, south: south, east: 180, north: north),
                    GeometryBox(west: -180, south: south, east: east - 360, north: north),
                ]
            }
            return [GeometryBox(west: west, south: south, east: east, north: north)]
        }
    }
}
#endif
