import VigilModel

/// Something to which the catalogue gave a number.
enum Definition {
    case group(SourceGroup)
    case series(SeriesEntry)
    case layout(RowLayout)
}

/// What a batch was the first to use, as records of kind ``RecordKind/definitions``.
///
/// A batch of new devices defines thousands of series with a few names, so a record holds each name once:
///
/// | Bytes | What |
/// |---|---|
/// | 4 each | counts of names, sources, series, layouts |
/// | | the names: length 4, bytes |
/// | | the sources, each as in a record of its own |
/// | 12 each | the series: number 4, source 4, place of the metric among the names 4 |
/// | | the layouts, each as in a record of its own |
struct NewDefinitions {
    private var groups: [SourceGroup] = []
    private var series: [SeriesEntry] = []
    private var layouts: [RowLayout] = []

    /// About how long a record becomes; what a batch has more of goes into further ones.
    private static let bytesMax = 16 << 20

    mutating func add(_ group: SourceGroup) { groups.append(group) }
    mutating func add(_ entry: SeriesEntry) { series.append(entry) }
    mutating func add(_ layout: RowLayout) { layouts.append(layout) }

    /// The records, in the order in which they have to be read: nearly always one.
    func records() -> [RecordBuffer] {
        var records: [RecordBuffer] = []
        var bytes = 0
        var (group, entry, layout) = (0, 0, 0)
        func cut(_ groupEnd: Int, _ entryEnd: Int, _ layoutEnd: Int) {
            records.append(
                Self.record(groups[group..<groupEnd], series[entry..<entryEnd], layouts[layout..<layoutEnd]))
            (group, entry, layout) = (groupEnd, entryEnd, layoutEnd)
            bytes = 0
        }
        // A source comes before its series, and these before the layouts with them.
        for (place, item) in groups.enumerated() {
            bytes += 64 + item.labels.all.reduce(0) { $0 + 8 + $1.name.utf8.count + $1.value.utf8.count }
            if bytes >= Self.bytesMax { cut(place + 1, entry, layout) }
        }
        for (place, item) in series.enumerated() {
            bytes += 16 + item.metric.utf8.count
            if bytes >= Self.bytesMax { cut(groups.count, place + 1, layout) }
        }
        for (place, item) in layouts.enumerated() {
            bytes += 16 + item.columns.count * 8
            if bytes >= Self.bytesMax { cut(groups.count, series.count, place + 1) }
        }
        if bytes > 0 { cut(groups.count, series.count, layouts.count) }
        return records
    }

    private static func record(
        _ groups: ArraySlice<SourceGroup>, _ series: ArraySlice<SeriesEntry>, _ layouts: ArraySlice<RowLayout>
    ) -> RecordBuffer {
        var names: [String] = []
        var places: [String: UInt32] = [:]
        let metrics = series.map { entry -> UInt32 in
            if let place = places[entry.metric] { return place }
            let place = UInt32(names.count)
            places[entry.metric] = place
            names.append(entry.metric)
            return place
        }
        let columns = layouts.reduce(0) { $0 + $1.columns.count }
        let buffer = RecordBuffer(
            capacity: 16 + names.count * 32 + groups.count * 128 + series.count * 12 + layouts.count * 16 + columns * 8)
        for count in [names.count, groups.count, series.count, layouts.count] { buffer.append(UInt32(count)) }
        for name in names { buffer.append(name) }
        for group in groups { DefinitionRecords.write(group, to: buffer) }
        for (entry, metric) in zip(series, metrics) {
            buffer.append(entry.number)
            buffer.append(entry.group.number)
            buffer.append(metric)
        }
        for layout in layouts { DefinitionRecords.write(layout, to: buffer) }
        return buffer
    }

    /// Hands what a record defines to `take`, which says whether it can be; returns whether the record was whole.
    static func read(
        _ reader: inout RecordReader, groups: (UInt32) -> SourceGroup?, series: (UInt32) -> SeriesEntry?,
        take: (Definition) -> Bool
    ) -> Bool {
        guard let nameCount: UInt32 = reader.number(), let groupCount: UInt32 = reader.number(),
            let seriesCount: UInt32 = reader.number(), let layoutCount: UInt32 = reader.number()
        else { return false }
        var names: [String] = []
        for _ in 0..<nameCount {
            guard let name = reader.text() else { return false }
            names.append(name)
        }
        for _ in 0..<groupCount {
            guard let group = DefinitionRecords.group(&reader), take(.group(group)) else { return false }
        }
        for _ in 0..<seriesCount {
            guard let number: UInt32 = reader.number(), let group: UInt32 = reader.number(),
                let metric: UInt32 = reader.number(), Int(metric) < names.count, let group = groups(group),
                take(.series(SeriesEntry(number: number, group: group, metric: names[Int(metric)])))
            else { return false }
        }
        for _ in 0..<layoutCount {
            guard let layout = DefinitionRecords.layout(&reader, groups, series), take(.layout(layout)) else {
                return false
            }
        }
        return true
    }
}
