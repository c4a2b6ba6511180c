import VigilModel

/// The payloads of the two records that remove.
enum RemovalRecord {
    /// Samples of series from a time to another (without it).
    case series([UInt32], Int64, Int64)
    case tenant(TenantID)

    // start 8, end 8, count of series 4, then their numbers.
    static func write(series: [UInt32], range: TimeRange) -> RecordBuffer {
        let buffer = RecordBuffer(capacity: 32 + series.count * 4)
        buffer.append(range.start.microseconds)
        buffer.append(range.end.microseconds)
        buffer.append(UInt32(series.count))
        for number in series { buffer.append(number) }
        return buffer
    }

    static func write(tenant: TenantID) -> RecordBuffer {
        let buffer = RecordBuffer(capacity: 32)
        buffer.append(tenant.high)
        buffer.append(tenant.low)
        return buffer
    }

    static func read(_ kind: RecordKind, _ payload: UnsafeRawBufferPointer) -> RemovalRecord? {
        var reader = RecordReader(payload)
        if kind == .deleteTenant {
            guard let high: UInt64 = reader.number(), let low: UInt64 = reader.number() else { return nil }
            return .tenant(TenantID(high: high, low: low))
        }
        guard let start: Int64 = reader.number(), let end: Int64 = reader.number(),
            let count: UInt32 = reader.number()
        else { return nil }
        var numbers: [UInt32] = []
        numbers.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let number: UInt32 = reader.number() else { return nil }
            numbers.append(number)
        }
        return .series(numbers, start, end)
    }
}
