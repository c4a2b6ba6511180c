import VigilModel

/// A mixed estate: devices that report ten fields each, as the places do that the product is for.
///
/// Decimals with none to six places that drift, a slow and a fast counter, a state, a constant and a position. The same
/// seed gives the same estate.
///
/// How much the dice move is calibrated: a hundred million points of a thousand devices take 0.278 bytes each in
/// VictoriaMetrics 1.112 after its merge, which is what it needs for such estates elsewhere. They decide 0.219 bytes
/// (``SeriesBenchmark/entropy()``), below which nobody can go. Nothing was chosen by what is stored here.
struct Estate {
    let devices: Int
    let sources: [SeriesSource]
    private var random: SplitMix
    private var levels: [[Int]]

    static let fields = [
        "temperature", "pressure", "humidity", "voltage", "flow", "energy", "pulses", "state", "setpoint", "latitude",
    ]
    static let places: [Double] = [10, 100, 1, 1000, 100_000, 1, 1, 1, 10, 1_000_000]
    /// Between two readings of one device.
    static let intervalMicroseconds: Int64 = 10_000_000
    static let start: Int64 = 1_700_000_000_000_000

    init(devices: Int, seed: UInt64) {
        self.devices = devices
        random = SplitMix(state: seed)
        sources = (0..<devices).map { number in
            SeriesSource(
                device: DeviceID(high: 7, low: UInt64(number)), measurement: "estate",
                labels: [
                    "device": "d\(number)", "site": "s\(number % 50)", "kind": number % 3 == 0 ? "boiler" : "meter",
                ])
        }
        levels = (0..<devices).map { number in
            [200 + number % 60, 10_000, 50, 230_000, 4_000_000, 0, 0, 1, 215, 52_000_000]
        }
    }

    /// The next `rows` readings of one device, as columns; `first` counts readings of the device from 0.
    mutating func table(_ device: Int, first: Int, rows: Int) -> ReadingTable {
        var columns: [[Double]] = Array(repeating: [], count: 8)
        var counters: [[Int64]] = [[], []]
        var states: [Int64] = []
        var level = levels[device]
        for _ in 0..<rows {
            let dice = random.next()
            level[0] += Int(dice & 7) == 0 ? Int(dice >> 3 & 2) - 1 : 0
            level[1] += Int(dice >> 5 & 7) - 3
            level[2] = max(0, min(100, level[2] + (dice >> 9 & 15 == 0 ? Int(dice >> 13 & 2) - 1 : 0)))
            level[3] += Int(dice >> 15 & 31) - 15
            level[4] += Int(dice >> 22 & 63) - 31
            level[5] += Int(dice >> 34 & 3)
            level[6] += 10
            if dice >> 36 & 255 == 0 { level[7] = Int(dice >> 44 & 3) }
            if dice >> 46 & 31 == 0 { level[9] += Int(dice >> 51 & 63) - 31 }
            for (column, field) in [0, 1, 2, 3, 4, 8, 9].enumerated() {
                columns[column].append(Double(level[field]) / Self.places[field])
            }
            counters[0].append(Int64(level[5]))
            counters[1].append(Int64(level[6]))
            states.append(Int64(level[7]))
        }
        levels[device] = level
        let times = (0..<rows).map { row in
            Self.start + Int64(first + row) * Self.intervalMicroseconds + Int64(device % 10_000) * 1000
        }
        let values: [ReadingColumn.Values] = [
            .floats(columns[0]), .floats(columns[1]), .floats(columns[2]), .floats(columns[3]), .floats(columns[4]),
            .integers(counters[0]), .integers(counters[1]), .integers(states), .floats(columns[5]),
            .floats(columns[6]),
        ]
        return ReadingTable(
            source: sources[device], times: times,
            columns: zip(Self.fields, values).map { ReadingColumn(field: $0, values: $1) })
    }
}

struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
