/// How much an alert matters.
///
/// The five reference systems map onto these by name, not by rank.
package enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
    case info
    case low
    case medium
    case high
    case critical

    /// 0 for info to 4 for critical: what the database stores, so that it sorts.
    package var rank: Int {
        switch self {
        case .info: 0
        case .low: 1
        case .medium: 2
        case .high: 3
        case .critical: 4
        }
    }

    package init?(rank: Int) {
        guard let severity = Severity.allCases.first(where: { $0.rank == rank }) else { return nil }
        self = severity
    }

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// What kind of trouble an alert tells of.
///
/// A subtype (`door_open`, `smoke`, …) refines it.
package enum AlertType: String, Codable, Sendable, CaseIterable {
    case intrusion
    case environmental
    /// A device that does not work as it should.
    case malfunction
    /// Vigil itself, or what it runs on.
    case system
    case custom
}

/// Whether an alert still waits for somebody.
///
/// Nothing leaves a closed state.
package enum AlertClosure: String, Codable, Sendable, CaseIterable {
    case open
    case resolved
    /// Closed as wrong: a false positive.
    case dismissed
}
