import VigilModel
package import VigilPorts

/// What ages: the kinds of things that a retention rule can be about.
package enum RetentionSubject: String, Sendable, Hashable, Codable, CaseIterable {
    /// Readings, in the series store.
    case reading
    case report
    /// The audit trail.
    case audit
    case chat
    /// The log of what came in, batch by batch.
    case ingest
    /// Background work that is done; dead jobs stay until somebody has looked at them.
    case job
    /// What the ingest notes of a batch until it is evaluated.
    case journal
    /// What happened, for those who listen; entries that a consumer has not read stay.
    case outbox
    /// Answers to requests with an `Idempotency-Key`.
    case idempotency
    /// What the program wrote to its log.
    case log

    /// Whether it belongs to the installation and not to one tenant.
    package var isOfInstallation: Bool {
        switch self {
        case .outbox, .idempotency, .log: true
        case .reading, .report, .audit, .chat, .ingest, .job, .journal: false
        }
    }

    /// Whether rules can tell sites, profiles and metrics apart.
    package var takesSelectors: Bool { self == .reading }

    /// Whether there are tiers: what lies in tables is there or gone, and only the last bound acts.
    package var hasTiers: Bool { self == .reading }

    /// What holds where no rule fits.
    package var standard: RetentionBounds {
        switch self {
        case .reading, .report, .chat: .forever
        case .audit: RetentionBounds(hot: .age(.days(5 * 365)))
        case .ingest, .job, .outbox: RetentionBounds(hot: .age(.days(7)))
        case .log: RetentionBounds(hot: .age(.days(14)))
        case .journal, .idempotency: RetentionBounds(hot: .age(.days(1)))
        }
    }

    /// Whether its life is a part of what Vigil promises, and no rule changes it.
    package var isFixed: Bool { self == .idempotency }
}
