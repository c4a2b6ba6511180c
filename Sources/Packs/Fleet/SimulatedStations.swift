package import VigilInterface
package import VigilModel

/// Three solar pumping stations of a provider.
package struct SimulatedStations: SimulatedPlace {
    package init() {}

    package var site: JSONValue {
        .object([
            "code": .string("wadi"), "name": .string("Pumping stations, Wadi"), "kind": .string("pumping_station"),
            "geometry": .object([
                "type": .string("Point"), "coordinates": .array([.number(30.35), .number(30.40)]),
            ]),
        ])
    }

    package var devices: [JSONValue] {
        (1...3).map { number in
            .object([
                "code": .string("LB100000\(number)"), "name": .string("Station \(number)"),
                "kind": .string("solar_pump"), "profile": .string("pumping_station"), "site": .string("wadi"),
                "expectedIntervalSeconds": .number(30),
            ])
        }
    }

    package var rules: [JSONValue] {
        [
            .object([
                "name": .string("Inverter too hot"), "metric": .string("inverter_temperature"),
                "condition": .string("above"), "threshold": .number(80), "unit": .string("degC"),
                "holdSeconds": .number(20), "severity": .string("high"), "type": .string("malfunction"),
            ])
        ]
    }

    package func reports(at time: Timestamp, elapsed: Span) -> [SimulatedReport] {
        (1...3).map { number in
            let shift = Double(number) / 3
            let power = 60 + 14 * Wave.sine(time, period: .minutes(17), shift: shift)
            func rounded(_ value: Double) -> JSONValue { .number((value * 10).rounded() / 10) }
            return .json(
                device: "LB100000\(number)", type: "telemetry", at: time,
                .object([
                    "pump_power": rounded(power), "frequency": rounded(30 + power / 5),
                    "inverter_temperature": rounded(55 + power / 6 + Wave.noise(time, seed: 6 + UInt64(number))),
                    "bus_voltage": rounded(560 + 12 * Wave.noise(time, seed: 16 + UInt64(number))),
                    "pump_status": .string("Running"),
                ]))
        }
    }
}
