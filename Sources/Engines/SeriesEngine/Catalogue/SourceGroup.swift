import VigilModel

/// All series of one tenant that share a device and labels: what usually comes together in one row.
///
/// Series of one group lie in the same chunks, so that their times are stored once.
final class SourceGroup: @unchecked Sendable {
    // Unchecked: `series` and `position` are guarded by the catalogue's lock; `blocks` and what belongs to it by the
    // memory's lock.
    let number: UInt32
    let tenant: TenantID
    let device: DeviceID?
    let labels: Labels

    /// Its place in the tenant's index.
    var position: UInt32 = 0
    /// In the order of their first reading.
    var series: [SeriesEntry] = []
    private var byMetric: [String: SeriesEntry]?
    private static let walkedSeriesMax = 24

    /// Rows that are not in a chunk yet, in the order of arrival.
    var blocks: [OpenBlock] = []
    /// Rows that are being made into chunks.
    var frozen: [OpenBlock] = []
    /// By generation.
    var chunks: [ChunkReference] = []
    /// Of the chunks those that hold the newest sealed sample of some series, by generation: mostly one.
    var newest: [ChunkReference] = []
    /// What is kept of readings that went.
    var rollups: [RollupReference] = []
    /// Whether a deletion left some series without a sample.
    var hasEmptySeries = false

    init(number: UInt32, tenant: TenantID, device: DeviceID?, labels: Labels) {
        self.number = number
        self.tenant = tenant
        self.device = device
        self.labels = labels
    }

    func entry(_ metric: String) -> SeriesEntry? {
        if let byMetric { return byMetric[metric] }
        for entry in series where entry.metric == metric { return entry }
        return nil
    }

    func add(_ entry: SeriesEntry) {
        series.append(entry)
        if byMetric != nil {
            byMetric?[entry.metric] = entry
        } else if series.count > Self.walkedSeriesMax {
            byMetric = Dictionary(series.map { ($0.metric, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }
}

/// One series.
final class SeriesEntry: @unchecked Sendable {
    // Unchecked: `isEmpty` is guarded by the memory's lock.
    let number: UInt32
    unowned let group: SourceGroup
    let metric: String
    /// Nothing is left of it; the next reading brings it back.
    var isEmpty = false

    init(number: UInt32, group: SourceGroup, metric: String) {
        self.number = number
        self.group = group
        self.metric = metric
    }

    var identity: SeriesIdentity { SeriesIdentity(device: group.device, metric: metric, labels: group.labels) }
}

/// How the rows of one table lie in memory and in the log: words of eight bytes.
///
/// A row is its time, then (with presence) one bit per column, then one word per column, then (with quality) one byte
/// per column, filled up to whole words. In memory the arrival time follows the time.
final class RowLayout: Sendable {
    struct Column: Sendable {
        let series: SeriesEntry
        let kind: ReadingValue.Kind
    }

    let number: UInt32
    let group: SourceGroup
    let columns: [Column]
    let hasPresence: Bool
    let hasQuality: Bool
    let hasTexts: Bool
    let presenceWords: Int
    let qualityWords: Int
    /// Words of a row in the log.
    let wordsPerRow: Int
    /// Words of a row in memory.
    let stride: Int

    init(number: UInt32, group: SourceGroup, columns: [Column], hasPresence: Bool, hasQuality: Bool) {
        self.number = number
        self.group = group
        self.columns = columns
        self.hasPresence = hasPresence
        self.hasQuality = hasQuality
        hasTexts = columns.contains { $0.kind == .text || $0.kind == .object }
        presenceWords = hasPresence ? (columns.count + 63) / 64 : 0
        qualityWords = hasQuality ? (columns.count + 7) / 8 : 0
        wordsPerRow = 1 + presenceWords + columns.count + qualityWords
        stride = wordsPerRow + 1
    }

    /// The same columns, each of which may be absent.
    ///
    /// Lives in memory only, so it has no number.
    func addingPresence() -> RowLayout {
        RowLayout(number: 0, group: group, columns: columns, hasPresence: true, hasQuality: hasQuality)
    }
}
