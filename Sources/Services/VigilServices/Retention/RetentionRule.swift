package import VigilModel
package import VigilPorts

/// How long something is kept, as a tenant has decided it.
package struct RetentionRule: Codable, Sendable, Hashable {
    package var id: EntryID
    package var subject: RetentionSubject
    /// Only readings of devices of this site: its UUID.
    package var site: SiteID?
    /// Only readings of devices of this profile: its UUID.
    package var profile: ProfileID?
    /// Only this metric; `*` stands for any text.
    package var metric: String?
    /// The age up to which it stays where it is: `12h`, `7d`, `2w`, `5y`, `forever`.
    package var hot: String?
    /// The age up to which it is in the warm folder.
    package var warm: String?
    /// The age up to which it is in the archive.
    package var archive: String?
    /// How long aggregates by the minute, hour and day outlive readings that go.
    package var rollups: RollupAges?
    /// Nothing that this selects goes, whatever other rules say.
    package var legalHold: Bool
    /// Why, for those who read it later.
    package var reason: String?
    package var version: Int
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: EntryID, subject: RetentionSubject, site: SiteID? = nil, profile: ProfileID? = nil, metric: String? = nil,
        hot: String? = nil, warm: String? = nil, archive: String? = nil, rollups: RollupAges? = nil,
        legalHold: Bool = false, reason: String? = nil, version: Int = 1, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.subject = subject
        self.site = site
        self.profile = profile
        self.metric = metric
        self.hot = hot
        self.warm = warm
        self.archive = archive
        self.rollups = rollups
        self.legalHold = legalHold
        self.reason = reason
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// The bounds, as they were checked when the rule was written.
    package var bounds: RetentionBounds {
        RetentionBounds(
            hot: hot.flatMap { RetentionBound($0) }, warm: warm.flatMap { RetentionBound($0) },
            archive: archive.flatMap { RetentionBound($0) })
    }

    /// Of two rules that fit, the greater one wins: a metric says more than a profile, a profile more than a site.
    var specificity: [Int] {
        let literal = metric.map { $0.utf8.count { $0 != UInt8(ascii: "*") } }
        let isExact = metric.map { !$0.contains("*") } ?? false
        return [isExact ? 1 : 0, literal.map { $0 + 1 } ?? 0, profile == nil ? 0 : 1, site == nil ? 0 : 1]
    }

    /// Whether it is about readings of this metric from such a device.
    func fits(metric: String, site: SiteID?, profile: ProfileID?) -> Bool {
        if let wanted = self.site, wanted != site { return false }
        if let wanted = self.profile, wanted != profile { return false }
        return self.metric.map { Self.matches(Array(metric.utf8), pattern: Array($0.utf8)) } ?? true
    }

    /// Whether `text` has the form of `pattern`, in which `*` stands for any text.
    ///
    /// Goes back to the last star only, so the time is at most the product of the lengths.
    static func matches(_ text: [UInt8], pattern: [UInt8]) -> Bool {
        var (index, place) = (0, 0)
        var star: (place: Int, index: Int)?
        while index < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, index)
                place += 1
            } else if place < pattern.count, pattern[place] == text[index] {
                (index, place) = (index + 1, place + 1)
            } else if let last = star {
                star = (last.place, last.index + 1)
                (index, place) = (last.index + 1, last.place + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// A retention rule as the interface writes it.
package struct RetentionRuleForm: Codable, Sendable, Hashable {
    package var subject: RetentionSubject
    /// Only readings of devices of this site: UUID or code.
    package var site: String?
    /// Only readings of devices of this profile: UUID or code.
    package var profile: String?
    /// Only this metric; `*` stands for any text.
    package var metric: String?
    /// The age up to which it stays where it is: `12h`, `7d`, `2w`, `5y`, `forever`.
    package var hot: String?
    package var warm: String?
    package var archive: String?
    /// How long aggregates by the minute, hour and day outlive readings that go.
    package var rollups: RollupAges?
    /// Nothing that this selects goes, whatever other rules say; then no bound is needed.
    package var legalHold: Bool?
    package var reason: String?

    package init(
        _ subject: RetentionSubject, metric: String? = nil, hot: String? = nil, warm: String? = nil,
        archive: String? = nil, rollups: RollupAges? = nil
    ) {
        self.rollups = rollups
        self.subject = subject
        self.metric = metric
        self.hot = hot
        self.warm = warm
        self.archive = archive
    }

    /// - Throws: `invalid` naming the field.
    func check() throws(ServiceError) {
        guard !subject.isFixed else {
            throw .invalid("subject", "has a life that no rule changes", code: "retention.fixed")
        }
        if !subject.takesSelectors {
            for (field, value) in [("site", site), ("profile", profile), ("metric", metric)] where value != nil {
                throw .invalid(field, "must be absent: only readings have it", code: "request.field")
            }
        }
        if let metric, !(1...400).contains(metric.utf8.count) {
            throw .invalid("metric", "must have 1 to 400 bytes", code: "request.field")
        }
        if let reason { _ = try TextRules.name(reason, field: "reason", max: 2000) }
        for (field, text) in [("hot", hot), ("warm", warm), ("archive", archive)] {
            guard let text, RetentionBound(text) == nil else { continue }
            throw .invalid(field, "must be an age such as 12h, 7d, 2w or 5y, or forever", code: "request.field")
        }
        try checkRollups()
        let bounds = bounds
        guard !bounds.steps.isEmpty || legalHold == true else {
            throw .invalid("hot", "must be given, or warm, or archive", code: "request.field")
        }
        guard bounds.isOrdered else {
            throw .invalid(
                bounds.archive != nil ? "archive" : "warm", "must be older than the tier before",
                code: "retention.order")
        }
    }

    private func checkRollups() throws(ServiceError) {
        guard let rollups else { return }
        guard subject.takesSelectors else {
            throw .invalid("rollups", "must be absent: only readings have it", code: "request.field")
        }
        for (field, text) in [("minute", rollups.minute), ("hour", rollups.hour), ("day", rollups.day)] {
            guard let text, RetentionBound(text) == nil else { continue }
            throw .invalid(
                "rollups.\(field)", "must be an age such as 12h, 7d, 2w or 5y, or forever", code: "request.field")
        }
    }

    private var bounds: RetentionBounds {
        RetentionBounds(
            hot: hot.flatMap { RetentionBound($0) }, warm: warm.flatMap { RetentionBound($0) },
            archive: archive.flatMap { RetentionBound($0) })
    }
}
