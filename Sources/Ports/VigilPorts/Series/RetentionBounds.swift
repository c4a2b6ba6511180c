package import VigilModel

/// How long something is kept, tier by tier.
///
/// Each bound is the age up to which the tier holds it: hot 7 d, warm 30 d, archive 5 y means warm from the eighth day on,
/// in the archive from the thirty-first, and gone after five years. An absent tier is passed over.
package struct RetentionBounds: Sendable, Hashable {
    package enum Tier: String, Sendable, Hashable, CaseIterable, Codable {
        /// On the fastest disk.
        case hot
        /// In the warm folder.
        case warm
        /// In the archive: listed, and read when it is attached.
        case archive
        /// Past the last bound.
        case expired
    }

    package var hot: RetentionBound?
    package var warm: RetentionBound?
    package var archive: RetentionBound?

    package init(hot: RetentionBound? = nil, warm: RetentionBound? = nil, archive: RetentionBound? = nil) {
        self.hot = hot
        self.warm = warm
        self.archive = archive
    }

    package static let forever = RetentionBounds(hot: .forever)

    /// The bounds that there are, in the order of the tiers.
    package var steps: [(tier: Tier, bound: RetentionBound)] {
        [(Tier.hot, hot), (.warm, warm), (.archive, archive)].compactMap { tier, bound in
            bound.map { (tier, $0) }
        }
    }

    /// The age past which nothing is left; `nil` for forever.
    package var life: Span? {
        guard case .age(let span)? = steps.last?.bound else { return nil }
        return span
    }

    /// Where something of this age belongs.
    package func tier(atAge age: Span) -> Tier {
        for (tier, bound) in steps {
            switch bound {
            case .forever: return tier
            case .age(let span): if age <= span { return tier }
            }
        }
        return steps.isEmpty ? .hot : .expired
    }

    /// Whether each tier ends later than the one before, and nothing follows forever.
    package var isOrdered: Bool { zip(steps, steps.dropFirst()).allSatisfy { $0.bound < $1.bound } }
}

/// The age up to which a tier holds something.
package enum RetentionBound: Sendable, Hashable, Comparable {
    case age(Span)
    case forever

    package static func < (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.age(let one), .age(let other)): one < other
        case (.age, .forever): true
        case (.forever, _): false
        }
    }
}

extension RetentionBound: LosslessStringConvertible {
    // A year is 365 days, so that a bound is one age whenever it is asked.
    private static let units: [(Character, Int64)] = [("y", 365 * 24), ("w", 7 * 24), ("d", 24), ("h", 1)]

    /// Reads `forever`, or a whole number of hours, days, weeks or years: `12h`, `7d`, `2w`, `5y`.
    package init?(_ description: String) {
        if description == "forever" {
            self = .forever
            return
        }
        guard let hours = Self.units.first(where: { $0.0 == description.last })?.1,
            description.utf8.count <= 8, description.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }),
            let count = Int64(description.dropLast()), count > 0, count * hours <= 1000 * 365 * 24
        else { return nil }
        self = .age(.hours(count * hours))
    }

    package var description: String {
        guard case .age(let span) = self else { return "forever" }
        let hours = span.microseconds / 3_600_000_000
        for (unit, length) in Self.units where unit != "w" && hours % length == 0 { return "\(hours / length)\(unit)" }
        return "\(hours)h"
    }
}
