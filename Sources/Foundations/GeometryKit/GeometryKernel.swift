import CGEOS

/// Planar geometry by GEOS, and what is measured on the ellipsoid with its help.
///
/// One context of GEOS: for one thread at a time, and the shapes that it reads live as long as it does.
package final class GeometryKernel {
    /// A GeoJSON text is no geometry, or no valid one.
    package struct Malformed: Error {}

    let context: GEOSContextHandle_t

    /// `nil` when there is no memory.
    package init?() {
        guard let context = GEOS_init_r() else { return nil }
        self.context = context
    }

    deinit { GEOS_finish_r(context) }

    /// Reads GeoJSON.
    ///
    /// - Throws: ``Malformed`` when it is not, is empty, or crosses itself.
    package func shape(_ geoJSON: String) throws(Malformed) -> Shape {
        guard let reader = GEOSGeoJSONReader_create_r(context) else { throw Malformed() }
        defer { GEOSGeoJSONReader_destroy_r(context, reader) }
        guard let geometry = GEOSGeoJSONReader_readGeometry_r(context, reader, geoJSON) else { throw Malformed() }
        let shape = Shape(self, geometry)
        guard GEOSisEmpty_r(context, geometry) == 0, GEOSisValid_r(context, geometry) == 1 else { throw Malformed() }
        return shape
    }

    // MARK: In the plane of longitude and latitude

    package func intersects(_ left: Shape, _ right: Shape) -> Bool {
        GEOSIntersects_r(context, left.geometry, right.geometry) == 1
    }

    /// Whether all of `inner` lies in `outer`, whose edge belongs to it.
    package func covers(_ outer: Shape, _ inner: Shape) -> Bool {
        GEOSCovers_r(context, outer.geometry, inner.geometry) == 1
    }

    package func centroid(of shape: Shape) -> Position? {
        guard let point = GEOSGetCentroid_r(context, shape.geometry) else { return nil }
        defer { GEOSGeom_destroy_r(context, point) }
        var (x, y) = (0.0, 0.0)
        guard GEOSGeomGetX_r(context, point, &x) == 1, GEOSGeomGetY_r(context, point, &y) == 1 else { return nil }
        return Position(longitude: x, latitude: y)
    }

    // MARK: On the ellipsoid

    /// Square metres of polygons, and metres of lines or rings.
    package func measures(of shape: Shape) -> (area: Double, length: Double) {
        var area = 0.0
        var length = 0.0
        forEachPart(of: shape.geometry) { part in
            switch GEOSGeomTypeId_r(context, part) {
            case Int32(GEOS_LINESTRING.rawValue), Int32(GEOS_LINEARRING.rawValue):
                length += Geodesy.length(positions(of: part))
            case Int32(GEOS_POLYGON.rawValue):
                for (index, ring) in rings(of: part).enumerated() {
                    length += Geodesy.length(ring)
                    area += Geodesy.area(ring) * (index == 0 ? 1 : -1)
                }
            default: break
            }
        }
        return (area, length)
    }

    /// Metres between the nearest points of two shapes; zero when they touch.
    ///
    /// The nearest points are looked for on a flat map around the first shape's centre; the distance between them is
    /// that of the ellipsoid. Edges are cut every 10 km first, because the map bends them.
    package func distance(_ from: Shape, _ to: Shape) -> Double {
        if intersects(from, to) { return 0 }
        guard let centre = centroid(of: from) else { return .infinity }
        let plane = LocalPlane(centre)
        guard let left = projected(from.geometry, plane), let right = projected(to.geometry, plane) else {
            return .infinity
        }
        defer {
            GEOSGeom_destroy_r(context, left)
            GEOSGeom_destroy_r(context, right)
        }
        guard let nearest = GEOSNearestPoints_r(context, left, right) else { return .infinity }
        defer { GEOSCoordSeq_destroy_r(context, nearest) }
        let points = (0..<2).map { index -> Position in
            var (x, y) = (0.0, 0.0)
            GEOSCoordSeq_getXY_r(context, nearest, UInt32(index), &x, &y)
            return plane.position(x, y)
        }
        return Geodesy.distance(points[0], points[1])
    }

    // MARK: Parts

    private func forEachPart(of geometry: OpaquePointer, _ body: (OpaquePointer) -> Void) {
        let count = GEOSGetNumGeometries_r(context, geometry)
        let type = GEOSGeomTypeId_r(context, geometry)
        guard type >= Int32(GEOS_MULTIPOINT.rawValue) else { return body(geometry) }
        for index in 0..<max(0, count) {
            if let part = GEOSGetGeometryN_r(context, geometry, index) { forEachPart(of: part, body) }
        }
    }

    private func rings(of polygon: OpaquePointer) -> [[Position]] {
        var result: [[Position]] = []
        if let shell = GEOSGetExteriorRing_r(context, polygon) { result.append(positions(of: shell)) }
        for index in 0..<max(0, GEOSGetNumInteriorRings_r(context, polygon)) {
            if let hole = GEOSGetInteriorRingN_r(context, polygon, index) { result.append(positions(of: hole)) }
        }
        return result
    }

    private func positions(of line: OpaquePointer) -> [Position] {
        guard let sequence = GEOSGeom_getCoordSeq_r(context, line) else { return [] }
        var count: UInt32 = 0
        GEOSCoordSeq_getSize_r(context, sequence, &count)
        return (0..<count).map { index in
            var (x, y) = (0.0, 0.0)
            GEOSCoordSeq_getXY_r(context, sequence, index, &x, &y)
            return Position(longitude: x, latitude: y)
        }
    }

    /// A collection of the parts of a geometry on a flat map; the caller destroys it.
    private func projected(_ geometry: OpaquePointer, _ plane: LocalPlane) -> OpaquePointer? {
        var parts: [OpaquePointer?] = []
        forEachPart(of: geometry) { part in
            switch GEOSGeomTypeId_r(context, part) {
            case Int32(GEOS_POINT.rawValue):
                if let point = positions(of: part).first {
                    let (x, y) = plane.project(point)
                    parts.append(GEOSGeom_createPointFromXY_r(context, x, y))
                }
            case Int32(GEOS_POLYGON.rawValue): for ring in rings(of: part) { parts.append(line(ring, plane)) }
            default: parts.append(line(positions(of: part), plane))
            }
        }
        let whole = parts.compactMap { $0 }
        guard !whole.isEmpty, whole.count == parts.count else {
            for part in whole { GEOSGeom_destroy_r(context, part) }
            return nil
        }
        return parts.withUnsafeMutableBufferPointer { buffer in
            GEOSGeom_createCollection_r(
                context, Int32(GEOS_GEOMETRYCOLLECTION.rawValue), buffer.baseAddress, UInt32(buffer.count))
        }
    }

    private func line(_ positions: [Position], _ plane: LocalPlane) -> OpaquePointer? {
        let cut = Self.cut(positions)
        guard let sequence = GEOSCoordSeq_create_r(context, UInt32(cut.count), 2) else { return nil }
        for (index, position) in cut.enumerated() {
            let (x, y) = plane.project(position)
            GEOSCoordSeq_setXY_r(context, sequence, UInt32(index), x, y)
        }
        return GEOSGeom_createLineString_r(context, sequence)
    }

    /// The line with its long edges cut, at most 200 pieces each.
    private static func cut(_ line: [Position]) -> [Position] {
        guard var last = line.first else { return [] }
        var result = [last]
        for next in line.dropFirst() {
            let pieces = min(200, max(1, Int(Geodesy.distance(last, next) / 10_000)))
            let step = Geodesy.wrapped(next.longitude - last.longitude)
            for piece in stride(from: 1, to: pieces, by: 1) {
                let part = Double(piece) / Double(pieces)
                result.append(
                    Position(
                        longitude: last.longitude + step * part,
                        latitude: last.latitude + (next.latitude - last.latitude) * part))
            }
            result.append(next)
            last = next
        }
        return result
    }
}

/// A geometry that a kernel has read.
package final class Shape {
    private let kernel: GeometryKernel
    let geometry: OpaquePointer

    init(_ kernel: GeometryKernel, _ geometry: OpaquePointer) {
        self.kernel = kernel
        self.geometry = geometry
    }

    deinit { GEOSGeom_destroy_r(kernel.context, geometry) }

    /// The box around it, in degrees.
    package var bounds: (west: Double, south: Double, east: Double, north: Double) {
        var (west, south, east, north) = (0.0, 0.0, 0.0, 0.0)
        let context = kernel.context
        GEOSGeom_getXMin_r(context, geometry, &west)
        GEOSGeom_getYMin_r(context, geometry, &south)
        GEOSGeom_getXMax_r(context, geometry, &east)
        GEOSGeom_getYMax_r(context, geometry, &north)
        return (west, south, east, north)
    }
}
