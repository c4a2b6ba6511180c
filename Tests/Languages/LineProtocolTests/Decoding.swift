import LineProtocol
import VigilModel

let arrival = Timestamp(seconds: 1_700_000_000)

/// Decodes `bytes` handed over in chunks of `chunk` bytes.
func decode(
    _ bytes: [UInt8], precision: LinePrecision = .nanoseconds, limits: LineLimits = LineLimits(),
    cache: LineSourceCache = LineSourceCache(), chunk: Int = .max,
    accepted: ClosedRange<Timestamp> = .distantPast ... .distantFuture,
    resolver: @escaping LineDecoder.Resolver = { .keep(SeriesSource(device: nil, measurement: $0, labels: $1)) }
) -> DecodedLines {
    var decoder = LineDecoder(
        precision: precision, arrival: arrival, accepted: accepted, limits: limits, cache: cache, resolver: resolver)
    var start = 0
    while start < bytes.count {
        let end = chunk < bytes.count - start ? start + chunk : bytes.count
        bytes[start..<end].withUnsafeBytes { decoder.feed($0) }
        start = end
    }
    return decoder.finish()
}

func decode(_ text: String, precision: LinePrecision = .nanoseconds, chunk: Int = .max) -> DecodedLines {
    decode(Array(text.utf8), precision: precision, chunk: chunk)
}

/// One value of a batch, for comparison.
struct Reading: Hashable, CustomStringConvertible {
    let metric: String
    let labels: Labels
    let time: Int64
    let value: ReadingValue

    var description: String { "\(metric)\(labels.dictionary) \(time) \(value)" }
}

extension ReadingBatch {
    var readings: [Reading] {
        tables.flatMap { table in
            table.columns.flatMap { column in
                table.times.indices.compactMap { row in
                    column[row].map {
                        Reading(
                            metric: table.source.metric(of: column.field), labels: table.source.labels,
                            time: table.times[row], value: $0)
                    }
                }
            }
        }
    }
}

/// A generator whose runs can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
