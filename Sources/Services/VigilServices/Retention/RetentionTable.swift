package import VigilModel
package import VigilPorts

/// The rules of one tenant with those of the installation, ready to be asked.
package struct RetentionTable: Sendable {
    let rules: [RetentionRule]
    private let standards: [RetentionSubject: RetentionBounds]

    package init(_ rules: [RetentionRule], standards: [RetentionSubject: RetentionBounds] = [:]) {
        self.rules = rules
        self.standards = standards
    }

    /// What becomes of something.
    package struct Decision: Sendable, Hashable {
        /// `nil` where no rule fits and what Vigil brings holds.
        package var rule: EntryID?
        package var bounds: RetentionBounds
        /// What is kept of readings that go.
        package var rollups = RollupBounds()
        /// Nothing goes.
        package var isHeld: Bool
    }

    /// What holds for a subject that rules do not tell apart.
    package func decision(_ subject: RetentionSubject) -> Decision {
        decide(subject) { $0.site == nil && $0.profile == nil && $0.metric == nil }
    }

    /// What holds for the readings of a series.
    package func decision(metric: String, site: SiteID?, profile: ProfileID?) -> Decision {
        decide(.reading) { $0.fits(metric: metric, site: site, profile: profile) }
    }

    private func decide(_ subject: RetentionSubject, _ fits: (RetentionRule) -> Bool) -> Decision {
        var best: RetentionRule?
        var isHeld = false
        for rule in rules where rule.subject == subject && fits(rule) {
            isHeld = isHeld || rule.legalHold
            // A hold without bounds says nothing about how long.
            guard !rule.bounds.steps.isEmpty else { continue }
            if let other = best, !other.specificity.lexicographicallyPrecedes(rule.specificity) { continue }
            best = rule
        }
        return Decision(
            rule: best?.id, bounds: best?.bounds ?? standards[subject] ?? subject.standard,
            rollups: best?.rollups?.bounds ?? RollupBounds(), isHeld: isHeld)
    }
}
