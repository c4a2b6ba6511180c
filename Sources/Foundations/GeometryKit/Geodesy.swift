import Foundation

/// Distances and areas on the ellipsoid WGS 84.
package enum Geodesy {
    static let equator = 6_378_137.0
    static let flattening = 1 / 298.257223563
    static var pole: Double { equator * (1 - flattening) }
    /// Squared eccentricity.
    static var squared: Double { flattening * (2 - flattening) }
    /// Half of the way around the earth, in metres: nothing is farther.
    package static let distanceMax = 20_003_932.0

    /// Metres along the geodesic between two positions in degrees.
    ///
    /// Vincenty, "Direct and Inverse Solutions of Geodesics on the Ellipsoid" (1975): to a millimetre; nearly opposite
    /// points, where it does not converge, by the great circle of the mean radius (0.3 %).
    package static func distance(_ from: Position, _ to: Position) -> Double {
        if from == to { return 0 }
        let difference = radians(wrapped(to.longitude - from.longitude))
        let reduced1 = atan((1 - flattening) * tan(radians(from.latitude)))
        let reduced2 = atan((1 - flattening) * tan(radians(to.latitude)))
        let (sin1, cos1, sin2, cos2) = (sin(reduced1), cos(reduced1), sin(reduced2), cos(reduced2))
        var lambda = difference
        for _ in 0..<100 {
            let (sinLambda, cosLambda) = (sin(lambda), cos(lambda))
            let sinSigma = hypot(cos2 * sinLambda, cos1 * sin2 - sin1 * cos2 * cosLambda)
            guard sinSigma > 0 else { return 0 }
            let cosSigma = sin1 * sin2 + cos1 * cos2 * cosLambda
            let sigma = atan2(sinSigma, cosSigma)
            let sinAlpha = cos1 * cos2 * sinLambda / sinSigma
            let cosSquaredAlpha = 1 - sinAlpha * sinAlpha
            // On the equator the line has no midpoint latitude.
            let middle = cosSquaredAlpha > 0 ? cosSigma - 2 * sin1 * sin2 / cosSquaredAlpha : 0
            let c = flattening / 16 * cosSquaredAlpha * (4 + flattening * (4 - 3 * cosSquaredAlpha))
            let before = lambda
            lambda =
                difference + (1 - c) * flattening * sinAlpha
                * (sigma + c * sinSigma * (middle + c * cosSigma * (-1 + 2 * middle * middle)))
            guard abs(lambda - before) < 1e-12 else { continue }
            let u = cosSquaredAlpha * (equator * equator - pole * pole) / (pole * pole)
            let a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
            let b = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
            let first = cosSigma * (-1 + 2 * middle * middle)
            let second = b / 6 * middle * (-3 + 4 * sinSigma * sinSigma) * (-3 + 4 * middle * middle)
            let correction = b * sinSigma * (middle + b / 4 * (first - second))
            return pole * a * (sigma - correction)
        }
        return haversine(from, to)
    }

    private static func haversine(_ from: Position, _ to: Position) -> Double {
        let (latitude1, latitude2) = (radians(from.latitude), radians(to.latitude))
        let h =
            pow(sin((latitude2 - latitude1) / 2), 2) + cos(latitude1) * cos(latitude2)
            * pow(sin(radians(wrapped(to.longitude - from.longitude)) / 2), 2)
        return 2 * 6_371_008.8 * asin(min(1, h.squareRoot()))
    }

    package static func length(_ line: [Position]) -> Double {
        zip(line, line.dropFirst()).reduce(0) { $0 + distance($1.0, $1.1) }
    }

    /// Square metres inside a closed ring, whichever way it turns.
    ///
    /// The ring is laid on the sphere of the same area (authalic latitudes: Snyder, "Map Projections", 1987, 3-11), on
    /// which the area between an edge and the equator is known exactly; long edges are cut, because the two surfaces
    /// part them a little differently.
    package static func area(_ ring: [Position]) -> Double {
        guard ring.count > 3 else { return 0 }
        var sum = 0.0
        for (from, to) in zip(ring, ring.dropFirst()) {
            let step = radians(wrapped(to.longitude - from.longitude))
            let (first, second) = (authalic(from.latitude), authalic(to.latitude))
            // The excess of the triangle of the edge and the nearer pole, from the tangents of the half latitudes.
            let (tan1, tan2) = (tan(first / 2), tan(second / 2))
            sum += 2 * atan2(tan(step / 2) * (tan1 + tan2), 1 + tan1 * tan2)
        }
        let radius = authalicRadius
        return abs(sum) * radius * radius
    }

    private static func q(_ sine: Double) -> Double {
        let eccentricity = squared.squareRoot()
        return (1 - squared)
            * (sine / (1 - squared * sine * sine) + atanh(eccentricity * sine) / eccentricity)
    }

    private static func authalic(_ latitude: Double) -> Double {
        asin(max(-1, min(1, q(sin(radians(latitude))) / q(1))))
    }

    private static var authalicRadius: Double { equator * (q(1) / 2).squareRoot() }

    static func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
    static func degrees(_ radians: Double) -> Double { radians * 180 / .pi }

    /// A difference of longitudes the short way around.
    static func wrapped(_ degrees: Double) -> Double {
        let rest = degrees.truncatingRemainder(dividingBy: 360)
        return rest > 180 ? rest - 360 : rest < -180 ? rest + 360 : rest
    }
}

/// A place in degrees.
package struct Position: Sendable, Hashable {
    package var longitude: Double
    package var latitude: Double

    package init(longitude: Double, latitude: Double) {
        self.longitude = longitude
        self.latitude = latitude
    }
}
