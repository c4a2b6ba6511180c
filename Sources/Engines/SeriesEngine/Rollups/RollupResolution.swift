/// How wide the buckets of a rollup are.
///
/// Buckets begin at whole minutes, hours and days in UTC. The raw values are on disk.
enum RollupResolution: UInt8, CaseIterable, Comparable, Sendable {
    case minute = 1
    case hour = 2
    case day = 3

    /// The width of a bucket in microseconds.
    var length: Int64 {
        switch self {
        case .minute: 60_000_000
        case .hour: 3_600_000_000
        case .day: 86_400_000_000
        }
    }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The number of the bucket in which a time lies, counted from 1970.
    func bucket(of time: Int64) -> Int64 {
        let (quotient, rest) = time.quotientAndRemainder(dividingBy: length)
        return rest < 0 ? quotient - 1 : quotient
    }

    func isAligned(_ time: Int64) -> Bool { time % length == 0 }
}

/// The resolutions of which a chunk has a rollup.
struct RollupSet: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    init(_ resolution: RollupResolution) {
        rawValue = 1 << resolution.rawValue
    }
}
