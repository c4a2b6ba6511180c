import Synchronization
import VigilModel
import VigilPorts

/// Knows every group, series and row layout, and finds them again by the objects that batches carry.
///
/// Numbers are given once and written to the log before the first record that uses them.
final class SeriesCatalogue: @unchecked Sendable {
    // Unchecked: everything below is guarded by `lock`.
    private let lock = Mutex(())
    private var groupsByKey: [GroupKey: SourceGroup] = [:]
    private var groups: [UInt32: SourceGroup] = [:]
    private var series: [UInt32: SeriesEntry] = [:]
    private var layouts: [UInt32: RowLayout] = [:]
    private var indexes: [TenantID: TenantIndex] = [:]
    private var sources: [SourceKey: SourceEntry] = [:]
    private var layoutsOfParts = LayoutTable()
    private var lastGroup: UInt32 = 0
    private var lastSeries: UInt32 = 0
    private var lastLayout: UInt32 = 0

    private struct GroupKey: Hashable {
        let tenant: TenantID
        let device: DeviceID?
        let labels: Labels
    }

    /// A source object as some tenant sent it.
    private struct SourceKey: Hashable {
        let object: ObjectIdentifier
        let tenant: TenantID
    }

    /// Keeps the source alive, so that its object identity stays its own.
    private final class SourceEntry {
        let source: SeriesSource
        let group: SourceGroup
        var known: [KnownLayout] = []

        init(source: SeriesSource, group: SourceGroup) {
            self.source = source
            self.group = group
        }
    }

    private struct KnownLayout {
        let fields: [String]
        let layout: RowLayout

        func fits(_ table: ReadingTable, hasPresence: Bool, hasQuality: Bool) -> Bool {
            guard fields.count == table.columns.count, layout.hasPresence == hasPresence,
                layout.hasQuality == hasQuality
            else { return false }
            for index in fields.indices {
                guard table.columns[index].values.kind == layout.columns[index].kind,
                    table.columns[index].field == fields[index]
                else { return false }
            }
            return true
        }
    }

    /// Past this many, source objects are forgotten; they are found again by their content.
    private static let sourcesMax = 1 << 20

    // MARK: - Batches

    /// The layouts of the tables of a batch.
    ///
    /// `define` gets the records of what is new, in order, under the lock.
    func layouts(
        of tables: [ReadingTable], _ runs: BatchRecord.Runs, tenant: TenantID,
        define: (RecordKind, RecordBuffer) throws(StoreError) -> Void
    ) throws(StoreError) -> (tables: [RowLayout], runs: [RowLayout]) {
        let marked = runs.marked
        return try lock.withLock { (_) throws(StoreError) in
            var result: [RowLayout] = []
            result.reserveCapacity(tables.count)
            for table in tables {
                let hasPresence = table.columns.contains { $0.present != nil }
                let hasQuality = table.columns.contains { $0.quality != nil }
                let entry = try sourceEntry(table.source, tenant, define)
                if let known = entry.known.first(where: {
                    $0.fits(table, hasPresence: hasPresence, hasQuality: hasQuality)
                }
                ) {
                    result.append(known.layout)
                } else {
                    let layout = try makeLayout(table, entry, hasPresence, hasQuality, define)
                    result.append(layout)
                }
            }
            var ofRuns: [RowLayout] = []
            ofRuns.reserveCapacity(runs.all.count)
            for run in runs.all {
                let part = runs.rows.parts[Int(run.part)]
                ofRuns.append(try layout(of: part, hasQuality: marked?[Int(run.part)] ?? false, tenant, define))
            }
            return (result, ofRuns)
        }
    }

    private func layout(
        of part: ReadingRows.Part, hasQuality: Bool, _ tenant: TenantID,
        _ define: (RecordKind, RecordBuffer) throws(StoreError) -> Void
    ) throws(StoreError) -> RowLayout {
        if let known = layoutsOfParts.find(part.source, part.shape, tenant, hasQuality: hasQuality) { return known }
        let entry = try sourceEntry(part.source, tenant, define)
        let columns = zip(part.shape.fields, part.shape.kinds).map { ReadingColumn(field: $0, values: .empty(of: $1)) }
        let table = ReadingTable(source: part.source, times: [], columns: columns)
        let layout: RowLayout
        if let known = entry.known.first(where: { $0.fits(table, hasPresence: false, hasQuality: hasQuality) }) {
            layout = known.layout
        } else {
            layout = try makeLayout(table, entry, false, hasQuality, define)
        }
        if layoutsOfParts.count >= LayoutTable.countMax { layoutsOfParts = LayoutTable() }
        layoutsOfParts.add(layout, part.source, part.shape, tenant)
        return layout
    }

    private func sourceEntry(
        _ source: SeriesSource, _ tenant: TenantID, _ define: (RecordKind, RecordBuffer) throws(StoreError) -> Void
    ) throws(StoreError) -> SourceEntry {
        let key = SourceKey(object: ObjectIdentifier(source), tenant: tenant)
        if let entry = sources[key] { return entry }
        let groupKey = GroupKey(tenant: tenant, device: source.device, labels: source.labels)
        let group: SourceGroup
        if let known = groupsByKey[groupKey] {
            group = known
        } else {
            group = SourceGroup(
                number: lastGroup + 1, tenant: tenant, device: source.device, labels: source.labels)
            try define(.group, DefinitionRecords.write(group))
            insert(group)
        }
        if sources.count >= Self.sourcesMax { sources.removeAll() }
        let entry = SourceEntry(source: source, group: group)
        sources[key] = entry
        return entry
    }

    private func makeLayout(
        _ table: ReadingTable, _ entry: SourceEntry, _ hasPresence: Bool, _ hasQuality: Bool,
        _ define: (RecordKind, RecordBuffer) throws(StoreError) -> Void
    ) throws(StoreError) -> RowLayout {
        var columns: [RowLayout.Column] = []
        for column in table.columns {
            let metric = table.source.metric(of: column.field)
            let series: SeriesEntry
            if let known = entry.group.entry(metric) {
                series = known
            } else {
                series = SeriesEntry(number: lastSeries + 1, group: entry.group, metric: metric)
                try define(.series, DefinitionRecords.write(series))
                insert(series)
            }
            columns.append(RowLayout.Column(series: series, kind: column.values.kind))
        }
        let layout = RowLayout(
            number: lastLayout + 1, group: entry.group, columns: columns, hasPresence: hasPresence,
            hasQuality: hasQuality)
        try define(.layout, DefinitionRecords.write(layout))
        insert(layout)
        if entry.known.count >= 16 { entry.known.removeFirst() }
        entry.known.append(KnownLayout(fields: table.columns.map(\.field), layout: layout))
        return layout
    }

    // MARK: - Recovery

    /// Takes a definition from the log.
    func recover(_ kind: RecordKind, _ payload: UnsafeRawBufferPointer) throws(StoreError) {
        try lock.withLock { (_) throws(StoreError) in
            var reader = RecordReader(payload)
            switch kind {
            case .group:
                guard let group = DefinitionRecords.group(&reader) else { throw Self.malformed }
                if groups[group.number] == nil { insert(group) }
            case .series:
                guard let entry = DefinitionRecords.series(&reader, { groups[$0] }) else { throw Self.malformed }
                if series[entry.number] == nil { insert(entry) }
            case .layout:
                guard let layout = DefinitionRecords.layout(&reader, { groups[$0] }, { series[$0] }) else {
                    throw Self.malformed
                }
                if layouts[layout.number] == nil { insert(layout) }
            default: break
            }
        }
    }

    func layout(_ number: UInt32) -> RowLayout? {
        return lock.withLock { _ in
            return layouts[number]
        }
    }

    private static let malformed = StoreError(.damaged, "a definition in the series log cannot be read")

    private func insert(_ group: SourceGroup) {
        lastGroup = max(lastGroup, group.number)
        groups[group.number] = group
        groupsByKey[GroupKey(tenant: group.tenant, device: group.device, labels: group.labels)] = group
        indexes[group.tenant, default: TenantIndex()].add(group)
    }

    private func insert(_ entry: SeriesEntry) {
        lastSeries = max(lastSeries, entry.number)
        series[entry.number] = entry
        entry.group.add(entry)
        indexes[entry.group.tenant, default: TenantIndex()].add(entry.metric, to: entry.group)
    }

    private func insert(_ layout: RowLayout) {
        lastLayout = max(lastLayout, layout.number)
        layouts[layout.number] = layout
    }

    // MARK: - Sealing

    /// The numbers of the last definitions that a file holds.
    struct Saved: Sendable {
        var group: UInt32 = 0
        var series: UInt32 = 0
        var layout: UInt32 = 0
    }

    /// How many groups, series and layouts there are.
    var definitionCount: Int { lock.withLock { _ in groups.count + series.count + layouts.count } }

    var counted: Saved {
        lock.withLock { _ in Saved(group: lastGroup, series: lastSeries, layout: lastLayout) }
    }

    /// The definitions after those of `saved`.
    func definitions(after saved: Saved) -> [(RecordKind, UInt32, RecordBuffer)] {
        lock.withLock { _ in
            var result: [(RecordKind, UInt32, RecordBuffer)] = []
            for (number, group) in groups where number > saved.group {
                result.append((.group, number, DefinitionRecords.write(group)))
            }
            for (number, entry) in series where number > saved.series {
                result.append((.series, number, DefinitionRecords.write(entry)))
            }
            for (number, layout) in layouts where number > saved.layout {
                result.append((.layout, number, DefinitionRecords.write(layout)))
            }
            return result
        }
    }

    func group(_ number: UInt32) -> SourceGroup? {
        lock.withLock { _ in groups[number] }
    }

    func series(of group: SourceGroup) -> [SeriesEntry] {
        lock.withLock { _ in group.series }
    }

    // MARK: - Questions

    var seriesCount: Int {
        return lock.withLock { _ in
            return series.count
        }
    }

    func entries(_ numbers: [UInt32]) -> [SeriesEntry] {
        return lock.withLock { _ in
            return numbers.compactMap { series[$0] }
        }
    }

    func groups(of tenant: TenantID) -> [SourceGroup] {
        return lock.withLock { _ in
            return indexes[tenant]?.groups ?? []
        }
    }

    var allGroups: [SourceGroup] {
        return lock.withLock { _ in
            return Array(groups.values)
        }
    }

    /// The series of `tenant` for which all matchers hold, group by group.
    func find(_ matchers: SeriesMatchers, tenant: TenantID, scope: AccessScope) -> [(SourceGroup, [SeriesEntry])] {
        lock.withLock { _ in
            indexes[tenant]?.find(matchers, scope) ?? []
        }
    }
}
