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
    private var groups = NumberedTable<SourceGroup>()
    private var series = NumberedTable<SeriesEntry>()
    private var layouts = NumberedTable<RowLayout>()
    private var indexes: [TenantID: TenantIndex] = [:]
    private var sources: [SourceKey: SourceEntry] = [:]
    private var layoutsOfParts = LayoutTable()
    private var lastNames: FieldNames?

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

        func fits(_ shape: RowShape, hasQuality: Bool) -> Bool {
            !layout.hasPresence && layout.hasQuality == hasQuality && fields == shape.fields
                && layout.columns.indices.allSatisfy { layout.columns[$0].kind == shape.kinds[$0] }
        }
    }

    /// The metrics of the fields of a shape: one object for as long as sources of the same measurement follow each other,
    /// which is mostly a whole batch.
    private final class FieldNames {
        let shape: RowShape
        let measurement: String
        let tenant: TenantID
        let metrics: [IndexedMetric]
        /// Whether no name comes twice, so that a source without series has none of them.
        let areDistinct: Bool

        init(shape: RowShape, measurement: String, tenant: TenantID, metrics: [IndexedMetric]) {
            self.shape = shape
            self.measurement = measurement
            self.tenant = tenant
            self.metrics = metrics
            areDistinct = Set(metrics.map { ObjectIdentifier($0) }).count == metrics.count
        }
    }

    /// Past this many, source objects are forgotten; they are found again by their content.
    private static let sourcesMax = 1 << 20

    // MARK: - Batches

    /// The layouts of the tables of a batch.
    ///
    /// `define` gets the records of what is new, in order, under the lock; where it throws, nothing more is taken.
    func layouts(
        of tables: [ReadingTable], _ runs: BatchRecord.Runs, tenant: TenantID,
        define: (RecordBuffer) throws(StoreError) -> Void
    ) throws(StoreError) -> (tables: [RowLayout], runs: [RowLayout]) {
        let marked = runs.marked
        return try lock.withLock { (_) throws(StoreError) in
            var new = NewDefinitions()
            var result: [RowLayout] = []
            result.reserveCapacity(tables.count)
            for table in tables {
                let hasPresence = table.columns.contains { $0.present != nil }
                let hasQuality = table.columns.contains { $0.quality != nil }
                let entry = sourceEntry(table.source, tenant, &new)
                if let known = entry.known.first(where: {
                    $0.fits(table, hasPresence: hasPresence, hasQuality: hasQuality)
                }
                ) {
                    result.append(known.layout)
                } else {
                    result.append(makeLayout(table, entry, hasPresence, hasQuality, &new))
                }
            }
            var ofRuns: [RowLayout] = []
            ofRuns.reserveCapacity(runs.all.count)
            for run in runs.all {
                let part = runs.rows.parts[Int(run.part)]
                ofRuns.append(layout(of: part, hasQuality: marked?[Int(run.part)] ?? false, tenant, &new))
            }
            for record in new.records() { try define(record) }
            return (result, ofRuns)
        }
    }

    private func layout(
        of part: ReadingRows.Part, hasQuality: Bool, _ tenant: TenantID, _ new: inout NewDefinitions
    ) -> RowLayout {
        if let known = layoutsOfParts.find(part.source, part.shape, tenant, hasQuality: hasQuality) { return known }
        let entry = sourceEntry(part.source, tenant, &new)
        let layout =
            entry.known.first { $0.fits(part.shape, hasQuality: hasQuality) }?.layout
            ?? makeLayout(part, entry, hasQuality, &new)
        if layoutsOfParts.count >= LayoutTable.countMax { layoutsOfParts = LayoutTable() }
        layoutsOfParts.add(layout, part.source, part.shape, tenant)
        return layout
    }

    private func sourceEntry(_ source: SeriesSource, _ tenant: TenantID, _ new: inout NewDefinitions) -> SourceEntry {
        let key = SourceKey(object: ObjectIdentifier(source), tenant: tenant)
        if let entry = sources[key] { return entry }
        let groupKey = GroupKey(tenant: tenant, device: source.device, labels: source.labels)
        let group: SourceGroup
        if let known = groupsByKey[groupKey] {
            group = known
        } else {
            group = SourceGroup(
                number: groups.last + 1, tenant: tenant, device: source.device, labels: source.labels)
            groups.put(group, at: group.number)
            groupsByKey[groupKey] = group
            index(of: tenant).add(group)
            new.add(group)
        }
        if sources.count >= Self.sourcesMax { sources.removeAll() }
        let entry = SourceEntry(source: source, group: group)
        sources[key] = entry
        return entry
    }

    private func makeLayout(
        _ table: ReadingTable, _ entry: SourceEntry, _ hasPresence: Bool, _ hasQuality: Bool,
        _ new: inout NewDefinitions
    ) -> RowLayout {
        let names = index(of: entry.group.tenant)
        let series = table.columns.map { column in
            let metric = table.source.metric(of: column.field)
            return entry.group.entry(metric) ?? makeSeries(names.metric(named: metric), entry.group, &new)
        }
        return makeLayout(
            of: series, table.columns.map(\.field), table.columns.map(\.values.kind), entry, hasPresence, hasQuality,
            &new)
    }

    private func makeLayout(
        _ part: ReadingRows.Part, _ entry: SourceEntry, _ hasQuality: Bool, _ new: inout NewDefinitions
    ) -> RowLayout {
        let names = fieldNames(of: part, tenant: entry.group.tenant)
        let group = entry.group
        // A new source has no series to look through.
        let mayBeKnown = !group.series.isEmpty || !names.areDistinct
        if !mayBeKnown { group.series.reserveCapacity(names.metrics.count) }
        let series = names.metrics.map { metric in
            (mayBeKnown ? group.entry(metric.name) : nil) ?? makeSeries(metric, group, &new)
        }
        return makeLayout(of: series, part.shape.fields, part.shape.kinds, entry, false, hasQuality, &new)
    }

    private func fieldNames(of part: ReadingRows.Part, tenant: TenantID) -> FieldNames {
        if let lastNames, lastNames.shape === part.shape, lastNames.tenant == tenant,
            lastNames.measurement == part.source.measurement
        {
            return lastNames
        }
        let names = index(of: tenant)
        let made = FieldNames(
            shape: part.shape, measurement: part.source.measurement, tenant: tenant,
            metrics: part.shape.fields.map { names.metric(named: part.source.metric(of: $0)) })
        lastNames = made
        return made
    }

    private func makeSeries(_ metric: IndexedMetric, _ group: SourceGroup, _ new: inout NewDefinitions) -> SeriesEntry {
        let entry = SeriesEntry(number: series.last + 1, group: group, metric: metric.name)
        series.put(entry, at: entry.number)
        group.add(entry)
        metric.add(group)
        new.add(entry)
        return entry
    }

    private func makeLayout(
        of series: [SeriesEntry], _ fields: [String], _ kinds: [ReadingValue.Kind], _ entry: SourceEntry,
        _ hasPresence: Bool, _ hasQuality: Bool, _ new: inout NewDefinitions
    ) -> RowLayout {
        let layout = RowLayout(
            number: layouts.last + 1, group: entry.group,
            columns: series.indices.map { RowLayout.Column(series: series[$0], kind: kinds[$0]) },
            hasPresence: hasPresence, hasQuality: hasQuality)
        layouts.put(layout, at: layout.number)
        new.add(layout)
        if entry.known.count >= 16 { entry.known.removeFirst() }
        entry.known.append(KnownLayout(fields: fields, layout: layout))
        return layout
    }

    private func index(of tenant: TenantID) -> TenantIndex {
        if let known = indexes[tenant] { return known }
        let made = TenantIndex()
        indexes[tenant] = made
        return made
    }

    // MARK: - Recovery

    /// Takes a definition from the log or a catalogue's file, or all of a block of them.
    func recover(_ kind: RecordKind, _ payload: UnsafeRawBufferPointer) throws(StoreError) {
        try lock.withLock { (_) throws(StoreError) in
            var reader = RecordReader(payload)
            guard kind == .definitions else { return try recoverOne(kind, &reader) }
            let isWhole = NewDefinitions.read(
                &reader, groups: { self.groups[$0] }, series: { self.series[$0] }, take: { self.insert($0) })
            guard isWhole else { throw Self.malformed }
        }
    }

    private func recoverOne(_ kind: RecordKind, _ reader: inout RecordReader) throws(StoreError) {
        let isWhole =
            switch kind {
            case .group: DefinitionRecords.group(&reader).map { insert(.group($0)) }
            case .series: DefinitionRecords.series(&reader) { groups[$0] }.map { insert(.series($0)) }
            case .layout:
                DefinitionRecords.layout(&reader, { groups[$0] }, { series[$0] }).map { insert(.layout($0)) }
            default: true
            }
        guard isWhole == true else { throw Self.malformed }
    }

    func layout(_ number: UInt32) -> RowLayout? {
        return lock.withLock { _ in
            return layouts[number]
        }
    }

    private static let malformed = StoreError(.damaged, "a definition in the series log cannot be read")

    /// Adds what a file defines, unless it is known; false for a number that cannot be one.
    private func insert(_ definition: Definition) -> Bool {
        switch definition {
        case .group(let group):
            guard groups.takes(group.number) else { return false }
            guard groups[group.number] == nil else { return true }
            groups.put(group, at: group.number)
            groupsByKey[GroupKey(tenant: group.tenant, device: group.device, labels: group.labels)] = group
            index(of: group.tenant).add(group)
        case .series(let entry):
            guard series.takes(entry.number) else { return false }
            guard series[entry.number] == nil else { return true }
            series.put(entry, at: entry.number)
            entry.group.add(entry)
            index(of: entry.group.tenant).metric(named: entry.metric).add(entry.group)
        case .layout(let layout):
            guard layouts.takes(layout.number) else { return false }
            guard layouts[layout.number] == nil else { return true }
            layouts.put(layout, at: layout.number)
        }
        return true
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
        lock.withLock { _ in Saved(group: groups.last, series: series.last, layout: layouts.last) }
    }

    /// The definitions after those of `saved`.
    func definitions(after saved: Saved) -> [(RecordKind, UInt32, RecordBuffer)] {
        lock.withLock { _ in
            var result: [(RecordKind, UInt32, RecordBuffer)] = []
            for group in groups.after(saved.group) {
                result.append((.group, group.number, DefinitionRecords.write(group)))
            }
            for entry in series.after(saved.series) {
                result.append((.series, entry.number, DefinitionRecords.write(entry)))
            }
            for layout in layouts.after(saved.layout) {
                result.append((.layout, layout.number, DefinitionRecords.write(layout)))
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
            return Array(groups.after(0))
        }
    }

    /// The series of `tenant` for which all matchers hold, group by group.
    func find(_ matchers: SeriesMatchers, tenant: TenantID, scope: AccessScope) -> [(SourceGroup, [SeriesEntry])] {
        lock.withLock { _ in
            indexes[tenant]?.find(matchers, scope) ?? []
        }
    }
}
