package import VigilInterface
package import VigilModel

/// A district metered area with its inlet meter and its pressure.
package struct SimulatedDistrict: SimulatedPlace {
    package init() {}

    package var site: JSONValue {
        let corners: [(Double, Double)] = [
            (100.52, 13.74), (100.55, 13.74), (100.55, 13.76), (100.52, 13.76), (100.52, 13.74),
        ]
        return .object([
            "code": .string("DMA-07"), "name": .string("District 7"), "kind": .string("water_district"),
            "geometry": .object([
                "type": .string("Polygon"),
                "coordinates": .array([.array(corners.map { .array([.number($0.0), .number($0.1)]) })]),
            ]),
        ])
    }

    package var profiles: [JSONValue] {
        [
            .object([
                "code": .string("dma-inlet"), "name": .string("Inlet of a district"), "kind": .string("meter"),
                "handler": .string("numeric"), "expectedIntervalSeconds": .number(10),
                "units": .object([
                    "flow": .string("m3/h"), "pressure": .string("bar"), "total": .string("m3"),
                ]),
            ])
        ]
    }

    package var devices: [JSONValue] {
        [
            .object([
                "code": .string("dma-07-inlet"), "name": .string("Inlet of district 7"), "kind": .string("meter"),
                "profile": .string("dma-inlet"), "site": .string("DMA-07"),
            ])
        ]
    }

    package var rules: [JSONValue] {
        [
            .object([
                "name": .string("Pressure too low"), "metric": .string("dma_pressure"), "condition": .string("below"),
                "threshold": .number(0.7), "unit": .string("bar"), "holdSeconds": .number(30),
                "severity": .string("high"), "type": .string("environmental"),
            ])
        ]
    }

    package func reports(at time: Timestamp, elapsed: Span) -> [SimulatedReport] {
        let demand = 1 + 0.5 * Wave.sine(time, period: .hours(12)) + 0.05 * Wave.noise(time, seed: 5)
        return [
            .line(
                "dma", device: "dma-07-inlet", at: time,
                [
                    ("flow", 62 * demand), ("pressure", 2.9 - 0.6 * demand + 0.02 * Wave.noise(time, seed: 6)),
                    ("total", Double(time.microseconds / 1_000_000 - 1_700_000_000) * 0.0172),
                ])
        ]
    }
}
