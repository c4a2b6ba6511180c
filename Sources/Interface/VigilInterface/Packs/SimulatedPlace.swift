package import VigilModel

/// A place that does not exist: what it is made of, and what its devices would report.
///
/// A place is set up and reports through the same HTTP interface as a real one: it only says what would be sent.
package protocol SimulatedPlace: Sendable {
    /// The body for `POST /api/sites`.
    var site: JSONValue { get }
    /// Bodies for `POST /api/profiles`, for kinds of devices that no built-in profile fits.
    var profiles: [JSONValue] { get }
    /// Bodies for `POST /api/devices`.
    var devices: [JSONValue] { get }
    /// Bodies for `POST /api/rules`.
    var rules: [JSONValue] { get }

    /// What the devices send at `time`, `elapsed` after the start. The past is sent with a negative `elapsed`, so that
    /// charts begin with a history.
    func reports(at time: Timestamp, elapsed: Span) -> [SimulatedReport]
}

extension SimulatedPlace {
    package var profiles: [JSONValue] { [] }
}

/// One request of a device.
package struct SimulatedReport: Sendable {
    package let path: String
    package let contentType: String
    package let body: String

    package init(_ path: String, contentType: String = "application/json", body: String) {
        self.path = path
        self.contentType = contentType
        self.body = body
    }

    /// Readings in JSON with the device's own time.
    package static func json(device: String, type: String? = nil, at time: Timestamp, _ value: JSONValue) -> Self {
        var members: [String: JSONValue] = ["time": .string(time.description), "value": value]
        if let type { members["reading_type"] = .string(type) }
        return SimulatedReport("/api/devices/\(device)/readings", body: JSONValue.object(members).canonicalText)
    }

    /// One line of line protocol, with nanoseconds.
    package static func line(
        _ measurement: String, device: String, at time: Timestamp, _ fields: [(String, Double)]
    ) -> Self {
        let values = fields.map { "\($0.0)=\(($0.1 * 1000).rounded() / 1000)" }.joined(separator: ",")
        return SimulatedReport(
            "/api/v2/write?org=vigil&bucket=readings&precision=us", contentType: "text/plain",
            body: "\(measurement),device=\(device) \(values) \(time.microseconds)")
    }
}

/// Waves and noise that are the same at each run.
package enum Wave {
    /// A sine of the time of day with this period, from −1 to 1.
    package static func sine(_ time: Timestamp, period: Span, shift: Double = 0) -> Double {
        let phase = Double(time.microseconds % period.microseconds) / Double(period.microseconds) + shift
        // A parabola in place of the sine: a simulator needs no more.
        let place = phase - phase.rounded(.down)
        return place < 0.5 ? 16 * place * (0.5 - place) : -16 * (place - 0.5) * (1 - place)
    }

    /// Noise from −1 to 1 that depends on the time and a seed only.
    package static func noise(_ time: Timestamp, seed: UInt64) -> Double {
        var bits =
            UInt64(bitPattern: time.microseconds / 1_000_000) &* 0x9E37_79B9_7F4A_7C15 ^ seed &* 0xBF58_476D_1CE4_E5B9
        bits ^= bits >> 31
        bits = bits &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 29
        return Double(bits >> 11) / Double(1 << 52) - 1
    }
}
