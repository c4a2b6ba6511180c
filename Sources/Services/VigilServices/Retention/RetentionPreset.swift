/// Retention rules that belong together, under a name.
package enum RetentionPreset: String, Sendable, Codable, CaseIterable {
    /// What the water network's reference system keeps, and for how long.
    case waris

    /// Charts of the five years need no part of the archive to be attached.
    private static let years = RollupAges(minute: "90d", hour: "5y", day: "5y")

    package var rules: [RetentionRuleForm] {
        switch self {
        case .waris:
            [
                RetentionRuleForm(
                    .reading, metric: "*flow*", hot: "7d", warm: "30d", archive: "5y", rollups: Self.years),
                RetentionRuleForm(
                    .reading, metric: "*pressure*", hot: "7d", warm: "30d", archive: "5y", rollups: Self.years),
                RetentionRuleForm(
                    .reading, metric: "*meter*", hot: "30d", warm: "1y", archive: "5y", rollups: Self.years),
                RetentionRuleForm(.report, hot: "1y", warm: "5y", archive: "forever"),
                RetentionRuleForm(.audit, hot: "90d", warm: "1y", archive: "5y"),
                RetentionRuleForm(.chat, hot: "30d", warm: "1y"),
            ]
        }
    }
}
