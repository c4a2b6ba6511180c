import Foundation

/// A flat map around a centre on which distances from the centre are true (azimuthal equidistant, on the sphere).
struct LocalPlane {
    private let longitude: Double
    private let sine: Double
    private let cosine: Double
    private let radius = 6_371_008.8

    init(_ centre: Position) {
        longitude = Geodesy.radians(centre.longitude)
        sine = sin(Geodesy.radians(centre.latitude))
        cosine = cos(Geodesy.radians(centre.latitude))
    }

    func project(_ position: Position) -> (x: Double, y: Double) {
        let latitude = Geodesy.radians(position.latitude)
        let difference = Geodesy.radians(position.longitude) - longitude
        let (sinLatitude, cosLatitude) = (sin(latitude), cos(latitude))
        let x = cosLatitude * sin(difference)
        let y = cosine * sinLatitude - sine * cosLatitude * cos(difference)
        let z = sine * sinLatitude + cosine * cosLatitude * cos(difference)
        let across = hypot(x, y)
        let angle = atan2(across, z)
        let scale = across > 1e-15 ? angle / across : 1
        return (radius * scale * x, radius * scale * y)
    }

    func position(_ x: Double, _ y: Double) -> Position {
        let distance = hypot(x, y)
        guard distance > 1e-9 else {
            return Position(longitude: Geodesy.degrees(longitude), latitude: Geodesy.degrees(asin(sine)))
        }
        let angle = distance / radius
        let latitude = asin(max(-1, min(1, cos(angle) * sine + y * sin(angle) * cosine / distance)))
        let difference = atan2(x * sin(angle), distance * cosine * cos(angle) - y * sine * sin(angle))
        return Position(
            longitude: Geodesy.wrapped(Geodesy.degrees(longitude + difference)), latitude: Geodesy.degrees(latitude))
    }
}
