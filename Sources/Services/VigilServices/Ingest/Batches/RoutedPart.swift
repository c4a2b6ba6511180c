import VigilModel

/// The metrics of a list of fields: one object for all sources of a measurement.
final class MetricNames: Sendable {
    let metrics: [String]
    /// The places of the fields that are readings, as opposed to what is kept beside them.
    let values: [Int]
    /// For sources that report without units.
    let noUnits: [String?]

    init(_ metrics: [String], of shape: RowShape) {
        self.metrics = metrics
        values = shape.fields.indices.filter { !shape.fields[$0].hasPrefix("__") }
        noUnits = Array(repeating: nil, count: metrics.count)
    }
}

/// What is known of the rows of one source that have the same fields.
///
/// Made once and found again for every further batch, so that a row costs no look-up. It never changes: when something
/// about the device, its units or its metrics does, another takes its place.
final class RoutedPart: Sendable {
    /// `nil` for readings that name no device.
    let device: KnownDevice?
    let source: SeriesSource
    let shape: RowShape
    let names: MetricNames
    /// Where the tenant's ingest keeps what it knows of the device; -1 without one.
    let deviceNumber: Int
    /// The unit of each field, as far as it is known.
    let units: [String?]
    /// The valid range of each field; empty when none has one.
    let ranges: [ValidRange?]
    /// Those of the values that neither the handler nor the device's profile describes.
    let undescribed: [Int]
    /// The places of fields whose metric's name belongs to somebody else.
    let taken: [Int]
    /// The same without those; `nil` when no other field is left.
    let reduced: RoutedPart?
    /// What the device's handler demands of fields of lines and files.
    let checks: [ColumnCheck]
    /// The place of the field that the handler's own rule watches under another name; `nil` where the metric says it.
    let watched: Int?
    // Of the device, so that a batch copies no entries.
    let deviceID: DeviceID?
    let isDiscovered: Bool
    let isInactive: Bool
    /// Whether a field that nobody describes has a unit.
    let hasUndescribedUnits: Bool

    /// The metric of each field.
    var metrics: [String] { names.metrics }
    /// The places of the fields that are readings, as opposed to what is kept beside them.
    var values: [Int] { names.values }

    init(
        device: KnownDevice?, deviceNumber: Int, source: SeriesSource, shape: RowShape, names: MetricNames,
        units: [String?], taken: [Int] = [], reduced: RoutedPart? = nil, checks: [ColumnCheck] = [],
        isNormalised: Bool
    ) {
        self.device = device
        self.source = source
        self.shape = shape
        self.units = units
        self.taken = taken
        self.reduced = reduced
        self.checks = checks
        self.names = names
        self.deviceNumber = deviceNumber
        isDiscovered = device?.entry.isDiscovered ?? false
        isInactive = device?.entry.status == .inactive
        deviceID = device?.entry.id
        guard let device else {
            (watched, ranges, undescribed, hasUndescribedUnits) = (nil, [], [], false)
            return
        }
        watched = isNormalised ? nil : device.handler.watched(in: shape.fields)
        ranges = Self.ranges(of: device.entry, shape.fields, names.metrics)
        // Thousands of devices that nobody has described share one list.
        let isDescribed = device.handler != .custom || !device.entry.units.isEmpty || !ranges.isEmpty
        undescribed = isDescribed ? Self.undescribed(of: device, shape.fields, names, ranges) : names.values
        hasUndescribedUnits = undescribed.contains { units[$0] != nil }
    }

    private static func ranges(of entry: DeviceEntry, _ fields: [String], _ metrics: [String]) -> [ValidRange?] {
        guard !entry.ranges.isEmpty else { return [] }
        let ranges = fields.indices.map { entry.ranges[metrics[$0]] ?? entry.ranges[fields[$0]] }
        return ranges.contains { $0 != nil } ? ranges : []
    }

    private static func undescribed(
        of device: KnownDevice, _ fields: [String], _ names: MetricNames, _ ranges: [ValidRange?]
    ) -> [Int] {
        names.values.filter { place in
            !device.handler.knows(fields[place]) && (ranges.isEmpty || ranges[place] == nil)
                && device.entry.units[names.metrics[place]] == nil && device.entry.units[fields[place]] == nil
        }
    }
}

/// The rows of a batch with what is known of their parts.
struct PreparedRows: Sendable {
    var rows = ReadingRows()
    /// One for each part of `rows`.
    private(set) var parts: [RoutedPart] = []
    /// One for each part.
    private(set) var extents: [ReadingRows.Extent] = []
    /// Values that are readings.
    private(set) var accepted = 0

    init() {}

    /// Takes names that belong to somebody else away, and marks what is out of range.
    ///
    /// - Parameter lines: Where the rows stand in what was sent, to name what is refused.
    init(_ rows: ReadingRows, _ parts: [RoutedPart], lines: RowLines, refusals: inout Refusals) {
        self.rows = rows
        self.parts = parts
        var lines = lines
        if parts.contains(where: { !$0.checks.isEmpty }) { applyChecks(&lines, &refusals) }
        if parts.contains(where: { !$0.taken.isEmpty }) { removeTaken(lines, &refusals) }
        for place in self.parts.indices {
            self.rows.parts[place].source = self.parts[place].source
            self.rows.parts[place].shape = self.parts[place].shape
        }
        if self.parts.contains(where: { !$0.ranges.isEmpty }) { markRanges() }
        extents = self.rows.extents()
        accepted = zip(self.parts, extents).reduce(0) { $0 + $1.0.values.count * $1.1.rowCount }
    }

    /// Takes rows away that their device cannot report, and brings the others into the handler's form.
    private mutating func applyChecks(_ lines: inout RowLines, _ refusals: inout Refusals) {
        var refused: Set<Int> = []
        for (number, row) in rows.rows.enumerated() {
            let part = parts[Int(row.part)]
            var fault: ColumnCheck?
            for check in part.checks where fault == nil {
                let place = Int(row.firstWord) + check.place
                if let word = check.settled(rows.words[place], rows.texts) {
                    rows.words[place] = word
                } else {
                    fault = check
                }
            }
            guard let fault else { continue }
            refused.insert(number)
            let (code, reason) = fault.refusal
            let device = part.device.map { " of \($0.entry.code)" } ?? ""
            refusals.add(
                Refusal(line: lines.line(of: number), code: code, reason: "\(fault.field)\(device) \(reason)"))
        }
        guard !refused.isEmpty else { return }
        lines = lines.keeping(of: rows.rows.count) { !refused.contains($0) }
        rows.rows = rows.rows.indices.filter { !refused.contains($0) }.map { rows.rows[$0] }
    }

    private mutating func removeTaken(_ lines: RowLines, _ refusals: inout Refusals) {
        let before = parts
        parts = before.map { $0.reduced ?? $0 }
        var kept: [ReadingRows.Row] = []
        kept.reserveCapacity(rows.rows.count)
        for (number, row) in rows.rows.enumerated() {
            var row = row
            let part = before[Int(row.part)]
            guard !part.taken.isEmpty else {
                kept.append(row)
                continue
            }
            refusals.add(
                Refusal(
                    line: lines.line(of: number), code: "metric.taken",
                    reason: "Another measurement and field made this metric's name first."), times: part.taken.count)
            guard part.reduced != nil else { continue }
            let first = Int(row.firstWord)
            row.firstWord = Int32(rows.words.count)
            for place in part.shape.fields.indices where !part.taken.contains(place) {
                rows.words.append(rows.words[first + place])
                if let quality = rows.qualities?[first + place] { rows.qualities?.append(quality) }
            }
            kept.append(row)
        }
        rows.rows = kept
    }

    /// Values out of the device's valid range are kept and marked.
    private mutating func markRanges() {
        for row in rows.rows where !parts[Int(row.part)].ranges.isEmpty {
            let part = parts[Int(row.part)]
            for (place, range) in part.ranges.enumerated() {
                let word = Int(row.firstWord) + place
                guard let range, let number = rows.value(part.shape.kinds[place], at: word).number,
                    !range.contains(number)
                else { continue }
                if rows.qualities == nil {
                    rows.qualities = Array(repeating: Quality.good.rawValue, count: rows.words.count)
                }
                let quality = rows.qualities?[word] ?? Quality.good.rawValue
                rows.qualities?[word] = min(quality, Quality.outOfRange.rawValue)
            }
        }
    }
}
