package import VigilModel

/// How a series is kept.
package struct SeriesRetention: Sendable, Hashable {
    package var bounds: RetentionBounds
    /// What is kept of its readings when they go.
    package var rollups: RollupBounds
    /// A legal hold: nothing of it goes, however old it is.
    package var isHeld: Bool

    package init(_ bounds: RetentionBounds, rollups: RollupBounds = RollupBounds(), isHeld: Bool = false) {
        self.bounds = bounds
        self.rollups = rollups
        self.isHeld = isHeld
    }

    package static let forever = SeriesRetention(.forever)
}

/// Says how a series is kept.
package typealias RetentionDecision = @Sendable (TenantID, SeriesIdentity) -> SeriesRetention

/// Keeps readings in tiers by their age, and takes away what is past its time.
///
/// A series store may be without tiers.
package protocol SeriesTiering: Sendable {
    /// Keeps each series as `decide` says from now on.
    ///
    /// It is asked again each time, so a series whose answer changes moves at the next ``applyRetention(at:isDryRun:)``.
    /// Until somebody decides, everything stays for ever.
    func keep(_ decide: @escaping RetentionDecision)

    /// Moves what has come of age at `now` into its tier, and removes what is past its last bound.
    ///
    /// Readings are moved and removed in stretches of time, so one may stay up to a seventh of the shortest bound, and at
    /// least a day, longer than its bound says; none goes earlier. What is held stays. A crash in between loses nothing, and
    /// the next call goes on. A dry run changes nothing.
    ///
    /// Of readings that go, or go into the archive, aggregates by minute, hour and day stay as long as ``RollupBounds`` say,
    /// and answer windows by whole minutes, hours or days as the readings did. A reading that comes when others of its time
    /// went counts with them, also when it came before. A removal reaches what stayed of readings; where too little is known
    /// to take a part out of a bucket, the bucket goes. While their readings are attached, these answer alone.
    /// - Returns: What was moved and removed, or would be.
    func applyRetention(at now: Timestamp, isDryRun: Bool) async throws(StoreError) -> [TierChange]

    /// What lies in the archive, the oldest first.
    func archived() async throws(StoreError) -> [ArchivedReadings]

    /// Lets questions see what lies in a part of the archive, also after the store is opened again.
    ///
    /// - Throws: `invalid` when there is no such part.
    func attach(_ name: String) async throws(StoreError)

    /// Ends what ``attach(_:)`` began.
    func detach(_ name: String) async throws(StoreError)
}

/// What retention does with a stretch of readings.
package struct TierChange: Sendable, Hashable {
    /// The file, or whatever the store keeps the stretch in.
    package var name: String
    package var from: RetentionBounds.Tier
    package var to: RetentionBounds.Tier
    package var range: TimeRange
    package var samples: [TenantID: Int]
    /// It would go, but is held.
    package var isHeld: Bool

    package init(
        name: String, from: RetentionBounds.Tier, to: RetentionBounds.Tier, range: TimeRange,
        samples: [TenantID: Int], isHeld: Bool = false
    ) {
        self.name = name
        self.from = from
        self.to = to
        self.range = range
        self.samples = samples
        self.isHeld = isHeld
    }
}

/// A part of the archive.
package struct ArchivedReadings: Sendable, Hashable {
    package var name: String
    package var range: TimeRange
    package var bytes: Int
    package var isAttached: Bool

    package init(name: String, range: TimeRange, bytes: Int, isAttached: Bool) {
        self.name = name
        self.range = range
        self.bytes = bytes
        self.isAttached = isAttached
    }
}
