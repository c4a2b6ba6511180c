package import VigilInterface
package import VigilModel

/// A house with a front door, a motion detector, a thermometer and a smoke detector.
package struct SimulatedHome: SimulatedPlace {
    package init() {}

    package var site: JSONValue {
        .object([
            "code": .string("home"), "name": .string("House by the lake"), "kind": .string("home"),
            "address": .string("Seestrasse 4"),
            "geometry": .object([
                "type": .string("Point"), "coordinates": .array([.number(8.5417), .number(47.3512)]),
            ]),
        ])
    }

    package var devices: [JSONValue] {
        [
            device("front-door", "Front door", "door_contact"), device("hall-motion", "Hall", "motion"),
            device("living-room", "Living room", "temperature"), device("kitchen-smoke", "Kitchen", "smoke"),
        ]
    }

    package var rules: [JSONValue] { [] }

    package func reports(at time: Timestamp, elapsed: Span) -> [SimulatedReport] {
        let degrees = 20.5 + 1.5 * Wave.sine(time, period: .hours(24)) + 0.1 * Wave.noise(time, seed: 1)
        var reports = [
            SimulatedReport.json(
                device: "living-room", type: "temperature", at: time,
                .object(["temperature": .number((degrees * 100).rounded() / 100), "unit": .string("C")]))
        ]
        let second = Int(elapsed.seconds)
        // The door opens a quarter of a minute after the start, and now and then later.
        if second >= 0, second % 60 == 15 || second % 60 == 40 {
            let state = second % 60 == 15 ? "open" : "closed"
            reports.append(
                .json(device: "front-door", type: "contact_state", at: time, .object(["state": .string(state)])))
        }
        // Detectors tell that nothing is wrong once a minute; somebody crosses the hall now and then.
        if second % 60 == 0 {
            let moves = second > 0 && second % 900 == 0
            reports.append(
                .json(device: "hall-motion", type: "motion", at: time, .object(["motion_detected": .bool(moves)])))
            reports.append(.json(device: "kitchen-smoke", type: "smoke", at: time, .object(["smoke": .bool(false)])))
            if second < 0 {
                reports.append(
                    .json(
                        device: "front-door", type: "contact_state", at: time, .object(["state": .string("closed")])))
            }
        }
        return reports
    }

    private func device(_ code: String, _ name: String, _ profile: String) -> JSONValue {
        .object([
            "code": .string(code), "name": .string(name), "profile": .string(profile), "site": .string("home"),
        ])
    }
}
