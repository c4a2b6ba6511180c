/// The unit of the timestamps of one request.
package enum LinePrecision: Sendable, Hashable, CaseIterable {
    case nanoseconds
    case microseconds
    case milliseconds
    case seconds
    case minutes
    case hours

    /// Reads the `precision` parameter of both write interfaces; anything else is `nil`.
    ///
    /// Version 1 says `n u ms s m h`, version 2 says `ns us ms s`. No parameter means nanoseconds.
    package init?(_ name: String?) {
        switch name {
        case nil, "", "ns", "n": self = .nanoseconds
        case "us", "u", "µ", "µs", "μ", "μs": self = .microseconds
        case "ms": self = .milliseconds
        case "s": self = .seconds
        case "m": self = .minutes
        case "h": self = .hours
        default: return nil
        }
    }

    /// What the interfaces call it.
    package var name: String {
        switch self {
        case .nanoseconds: "ns"
        case .microseconds: "us"
        case .milliseconds: "ms"
        case .seconds: "s"
        case .minutes: "m"
        case .hours: "h"
        }
    }

    /// How many microseconds one unit is; 0 for nanoseconds, which are divided instead.
    var microseconds: Int64 {
        switch self {
        case .nanoseconds: 0
        case .microseconds: 1
        case .milliseconds: 1000
        case .seconds: 1_000_000
        case .minutes: 60_000_000
        case .hours: 3_600_000_000
        }
    }
}
