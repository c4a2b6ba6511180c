package import VigilInterface
package import VigilModel

/// A boiler whose pressure rises above its limit now and then.
package struct SimulatedBoilerHouse: SimulatedPlace {
    package init() {}

    package var site: JSONValue {
        .object([
            "code": .string("BLR001"), "name": .string("Boiler house north"), "kind": .string("boiler_house"),
            "geometry": .object([
                "type": .string("Point"), "coordinates": .array([.number(13.4182), .number(52.5388)]),
            ]),
        ])
    }

    package var profiles: [JSONValue] {
        [
            .object([
                "code": .string("steam-boiler"), "name": .string("Steam boiler"), "kind": .string("boiler"),
                "handler": .string("numeric"), "expectedIntervalSeconds": .number(10),
                "units": .object([
                    "temperature": .string("degC"), "pressure": .string("bar"), "fuel_level": .string("%"),
                    "flow_rate": .string("l/min"), "efficiency": .string("%"),
                ]),
            ])
        ]
    }

    package var devices: [JSONValue] {
        [
            .object([
                "code": .string("boiler-1"), "name": .string("Steam boiler 1"), "kind": .string("boiler"),
                "profile": .string("steam-boiler"), "site": .string("BLR001"),
            ])
        ]
    }

    package var rules: [JSONValue] {
        [
            .object([
                "name": .string("Boiler pressure too high"), "metric": .string("boiler_pressure"),
                "condition": .string("above"), "threshold": .number(20), "unit": .string("bar"),
                "severity": .string("critical"), "type": .string("environmental"), "autoResolve": .bool(false),
                "title": .string("{deviceName}: pressure {value} {unit}, above {threshold}"),
            ]),
            .object([
                "name": .string("Boiler too hot"), "metric": .string("boiler_temperature"),
                "condition": .string("above"), "threshold": .number(118), "unit": .string("degC"),
                "holdSeconds": .number(10), "severity": .string("high"), "type": .string("environmental"),
            ]),
        ]
    }

    package func reports(at time: Timestamp, elapsed: Span) -> [SimulatedReport] {
        let second = elapsed.seconds
        // Half a minute after the start, and every five minutes after that, the pressure runs away for ten seconds.
        let isHigh = second >= 30 && Int(second - 30) % 300 < 10
        let pressure = 12 + 3 * Wave.sine(time, period: .minutes(7)) + 0.2 * Wave.noise(time, seed: 2)
        return [
            .line(
                "boiler", device: "boiler-1", at: time,
                [
                    ("temperature", 90 + 15 * Wave.sine(time, period: .minutes(11)) + Wave.noise(time, seed: 3)),
                    ("pressure", isHigh ? 21.4 : pressure),
                    ("fuel_level", 60 + 30 * Wave.sine(time, period: .hours(9))),
                    ("flow_rate", 240 + 40 * Wave.sine(time, period: .minutes(5)) + 4 * Wave.noise(time, seed: 4)),
                    ("efficiency", 86 + 3 * Wave.sine(time, period: .minutes(23))),
                ])
        ]
    }
}
