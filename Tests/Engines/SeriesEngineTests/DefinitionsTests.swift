import Foundation
import Testing
import VigilModel
import VigilPorts

@testable import SeriesEngine

/// What a batch is the first to use, as one record of the log.
@Suite struct DefinitionsTests {
    private static let tenant = TenantID(high: 1, low: 2)

    /// Sources with a few metrics each, and a layout over them.
    private static func definitions(_ count: Int) -> (new: NewDefinitions, layouts: [RowLayout]) {
        var new = NewDefinitions()
        var layouts: [RowLayout] = []
        for number in 1...UInt32(count) {
            let group = SourceGroup(
                number: number, tenant: tenant, device: number % 2 == 0 ? DeviceID(high: 3, low: UInt64(number)) : nil,
                labels: ["site": "north", "rack": String(number)])
            new.add(group)
            let columns = ["level", "state"].enumerated().map { place, metric in
                let entry = SeriesEntry(number: number * 2 + UInt32(place), group: group, metric: metric)
                group.add(entry)
                new.add(entry)
                return RowLayout.Column(series: entry, kind: place == 0 ? .float : .text)
            }
            let layout = RowLayout(
                number: number, group: group, columns: columns, hasPresence: number == 2, hasQuality: number == 3)
            layouts.append(layout)
            new.add(layout)
        }
        return (new, layouts)
    }

    /// What records define; `nil` where one of them is not whole.
    private static func read(_ records: [RecordBuffer], first count: Int = .max) -> [UInt32: RowLayout]? {
        var groups: [UInt32: SourceGroup] = [:]
        var series: [UInt32: SeriesEntry] = [:]
        var layouts: [UInt32: RowLayout] = [:]
        for record in records {
            // A payload is alive only as long as its record.
            defer { withExtendedLifetime(record) {} }
            var reader = RecordReader(UnsafeRawBufferPointer(rebasing: record.payload.prefix(count)))
            let isWhole = NewDefinitions.read(&reader, groups: { groups[$0] }, series: { series[$0] }) { definition in
                switch definition {
                case .group(let group): groups[group.number] = group
                case .series(let entry): series[entry.number] = entry
                case .layout(let layout): layouts[layout.number] = layout
                }
                return true
            }
            guard isWhole else { return nil }
        }
        return layouts
    }

    @Test func `what a batch is the first to use comes back from its record`() throws {
        let (new, layouts) = Self.definitions(5)
        let records = new.records()
        #expect(records.count == 1)
        let found = try #require(Self.read(records))
        #expect(found.count == layouts.count)
        for layout in layouts {
            let again = try #require(found[layout.number])
            #expect(again.hasPresence == layout.hasPresence && again.hasQuality == layout.hasQuality)
            #expect(again.columns.map(\.kind) == layout.columns.map(\.kind))
            #expect(again.columns.map(\.series.identity) == layout.columns.map(\.series.identity))
            #expect(again.columns.map(\.series.number) == layout.columns.map(\.series.number))
            #expect(again.group.tenant == Self.tenant && again.group.number == layout.group.number)
        }
    }

    @Test func `nothing new is no record`() {
        #expect(NewDefinitions().records().isEmpty)
    }

    @Test func `a record that is cut anywhere is not whole`() throws {
        let (new, _) = Self.definitions(3)
        let record = try #require(new.records().first)
        for count in 0..<record.count - RecordHeader.size {
            #expect(Self.read([record], first: count)?.count == nil, "\(count)")
        }
    }

    @Test func `more than fits goes into further records that are read in their order`() throws {
        var new = NewDefinitions()
        var layouts: [RowLayout] = []
        let group = SourceGroup(number: 1, tenant: Self.tenant, device: nil, labels: .none)
        new.add(group)
        let name = String(repeating: "n", count: 1000)
        for number in 1...UInt32(40_000) {
            let entry = SeriesEntry(number: number, group: group, metric: name + String(number))
            new.add(entry)
            layouts.append(
                RowLayout(
                    number: number, group: group, columns: [RowLayout.Column(series: entry, kind: .float)],
                    hasPresence: false, hasQuality: false))
        }
        for layout in layouts { new.add(layout) }
        let records = new.records()
        #expect(records.count > 2)
        #expect(records.allSatisfy { $0.payload.count < 32 << 20 })
        #expect(try #require(Self.read(records)).count == layouts.count)
    }

    @Test func `numbers keep their objects, with gaps that damage left, and far ones are refused`() {
        var table = NumberedTable<SourceGroup>()
        func group(_ number: UInt32) -> SourceGroup {
            SourceGroup(number: number, tenant: Self.tenant, device: nil, labels: .none)
        }
        for number: UInt32 in [1, 2, 5, 4] { table.put(group(number), at: number) }
        #expect(table.count == 4 && table.last == 5)
        #expect((0...6).map { table[$0]?.number } == [nil, 1, 2, nil, 4, 5, nil])
        #expect(table.after(2).map(\.number) == [4, 5] && table.after(9).map(\.number).isEmpty)
        #expect(table.takes(100) && !table.takes(0) && !table.takes(.max))
    }

    @Test func `what two batches of new devices brought is there after a start`() async throws {
        let folder = TemporaryFolder()
        let scope = AccessScope(tenant: Self.tenant)
        let shape = RowShape(fields: ["level", "level", "state"], kinds: [.float, .float, .integer])
        func batch(_ devices: Range<Int>) -> ReadingBatch {
            var rows = ReadingRows()
            for device in devices {
                let source = SeriesSource(
                    device: DeviceID(high: 7, low: UInt64(device)), measurement: "boiler",
                    labels: ["site": "s\(device % 3)"])
                let part = rows.parts.count
                rows.parts.append(ReadingRows.Part(source: source, shape: shape, group: Int32(part)))
                rows.groupCount = part + 1
                rows.rows.append(
                    ReadingRows.Row(
                        part: Int32(part), firstWord: Int32(rows.words.count), time: 1_700_000_000_000_000))
                rows.words += [Double(1.5).bitPattern, Double(device).bitPattern, UInt64(device)]
            }
            return ReadingBatch(rows: rows, arrival: Timestamp(microseconds: 1_700_000_001_000_000))
        }
        let engine = try await SeriesEngine.open(folder: folder.path, clock: HandClock())
        _ = try await engine.append(batch(0..<40), in: scope)
        _ = try await engine.append(batch(20..<60), in: scope)
        // Not closed: what the next start knows it knows from the log.
        let copy = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
        for name in [FileNames.log(1)] {
            try FileManager.default.copyItem(atPath: folder.path + "/" + name, toPath: copy.path + "/" + name)
        }
        await engine.close()
        let again = try await SeriesEngine.open(folder: copy.path, clock: HandClock())
        #expect(again.damage.isEmpty)
        let found = try await again.latest([], in: scope)
        #expect(found.count == 120)
        #expect(Set(found.map(\.identity.metric)) == ["boiler_level", "boiler_state"])
        for sample in found where sample.identity.metric == "boiler_state" {
            #expect(sample.sample.value == .integer(Int64(sample.identity.device?.low ?? 0)))
        }
        await again.close()
    }
}
