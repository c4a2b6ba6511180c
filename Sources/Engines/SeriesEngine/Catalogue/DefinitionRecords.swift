import VigilModel

/// The payloads of the records that give numbers to groups, series and layouts.
enum DefinitionRecords {
    // A group: number 4, has a device 4, tenant 16, device 16, count of labels 4, then name and value of each.
    static func write(_ group: SourceGroup) -> RecordBuffer {
        let buffer = RecordBuffer(capacity: 256)
        write(group, to: buffer)
        return buffer
    }

    static func write(_ group: SourceGroup, to buffer: RecordBuffer) {
        buffer.append(group.number)
        buffer.append(UInt32(group.device == nil ? 0 : 1))
        buffer.append(group.tenant.high)
        buffer.append(group.tenant.low)
        buffer.append(group.device?.high ?? 0)
        buffer.append(group.device?.low ?? 0)
        buffer.append(UInt32(group.labels.all.count))
        for label in group.labels.all {
            buffer.append(label.name)
            buffer.append(label.value)
        }
    }

    static func group(_ reader: inout RecordReader) -> SourceGroup? {
        guard let number: UInt32 = reader.number(), let hasDevice: UInt32 = reader.number(),
            let tenantHigh: UInt64 = reader.number(), let tenantLow: UInt64 = reader.number(),
            let deviceHigh: UInt64 = reader.number(), let deviceLow: UInt64 = reader.number(),
            let count: UInt32 = reader.number()
        else { return nil }
        var labels: [(String, String)] = []
        for _ in 0..<count {
            guard let name = reader.text(), let value = reader.text() else { return nil }
            labels.append((name, value))
        }
        return SourceGroup(
            number: number, tenant: TenantID(high: tenantHigh, low: tenantLow),
            device: hasDevice == 1 ? DeviceID(high: deviceHigh, low: deviceLow) : nil, labels: Labels(labels))
    }

    // A series: number 4, group 4, metric.
    static func write(_ series: SeriesEntry) -> RecordBuffer {
        let buffer = RecordBuffer(capacity: 64)
        buffer.append(series.number)
        buffer.append(series.group.number)
        buffer.append(series.metric)
        return buffer
    }

    static func series(_ reader: inout RecordReader, _ group: (UInt32) -> SourceGroup?) -> SeriesEntry? {
        guard let number: UInt32 = reader.number(), let groupNumber: UInt32 = reader.number(),
            let group = group(groupNumber), let metric = reader.text()
        else { return nil }
        return SeriesEntry(number: number, group: group, metric: metric)
    }

    // A layout: number 4, group 4, flags 4 (1 presence, 2 quality), count 4, then series 4 and kind 4 of each column.
    static func write(_ layout: RowLayout) -> RecordBuffer {
        let buffer = RecordBuffer(capacity: 32 + layout.columns.count * 8)
        write(layout, to: buffer)
        return buffer
    }

    static func write(_ layout: RowLayout, to buffer: RecordBuffer) {
        buffer.append(layout.number)
        buffer.append(layout.group.number)
        buffer.append(UInt32((layout.hasPresence ? 1 : 0) | (layout.hasQuality ? 2 : 0)))
        buffer.append(UInt32(layout.columns.count))
        for column in layout.columns {
            buffer.append(column.series.number)
            buffer.append(UInt32(column.kind.rawValue))
        }
    }

    static func layout(
        _ reader: inout RecordReader, _ group: (UInt32) -> SourceGroup?, _ series: (UInt32) -> SeriesEntry?
    ) -> RowLayout? {
        guard let number: UInt32 = reader.number(), let groupNumber: UInt32 = reader.number(),
            let flags: UInt32 = reader.number(), let count: UInt32 = reader.number(), let group = group(groupNumber)
        else { return nil }
        var columns: [RowLayout.Column] = []
        for _ in 0..<count {
            guard let seriesNumber: UInt32 = reader.number(), let kind: UInt32 = reader.number(), kind < 256,
                let entry = series(seriesNumber), let kind = ReadingValue.Kind(rawValue: UInt8(kind))
            else { return nil }
            columns.append(RowLayout.Column(series: entry, kind: kind))
        }
        return RowLayout(
            number: number, group: group, columns: columns, hasPresence: flags & 1 != 0, hasQuality: flags & 2 != 0)
    }
}
