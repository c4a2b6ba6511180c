import VigilPorts

/// Where the log ends: where the next record goes.
struct LogEnd: Sendable {
    var number: UInt64
    var offset: Int
    var position: Int64
}

/// Reads all files of the log in order, cuts a torn tail, and names damage.
///
/// A record that fails its checksum is damage when any later record says that it had been synced, or when the next file
/// begins with a later position; otherwise it never was acknowledged, and the log ends there.
struct LogScanner {
    let files: any FileSystem
    /// Records at or before this position are part of other files already.
    var after: Int64 = 0
    private(set) var damage: [StoreError] = []

    init(files: any FileSystem, after: Int64 = 0) {
        self.files = files
        self.after = after
    }

    /// Hands each record to `body` and returns where the log ends; makes the first file when there is none.
    mutating func scan(
        created: Int64, _ body: (RecordKind, Int64, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> LogEnd {
        let numbers = try files.names().compactMap(FileNames.logNumber).sorted()
        var end = LogEnd(number: 1, offset: 0, position: after)
        for (index, number) in numbers.enumerated() {
            let next = index + 1 < numbers.count ? try firstPosition(of: numbers[index + 1]) : nil
            end = try scanFile(
                number, isLast: index + 1 == numbers.count, position: end.position, next: next, body)
        }
        if end.offset == 0 {
            try Self.makeFile(files, LogHeader(number: end.number, firstPosition: end.position + 1, created: created))
            end.offset = LogHeader.size
        }
        return end
    }

    /// Writes the header of a new file and makes the file's name durable.
    static func makeFile(_ files: any FileSystem, _ header: LogHeader) throws(StoreError) {
        let file = try files.open(FileNames.log(header.number))
        let buffer = RecordBuffer(capacity: LogHeader.size)
        let bytes = header.bytes()
        buffer.extend(by: bytes.count).copyMemory(from: bytes, byteCount: bytes.count)
        try file.write(buffer.payload, at: 0)
        try file.sync()
        try files.syncFolder()
    }

    /// The position with which a file begins, or `nil` when its header is not whole: it was being made.
    private func firstPosition(of number: UInt64) throws(StoreError) -> Int64? {
        let file = try files.open(FileNames.log(number))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: LogHeader.size, alignment: 16)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: 0)
        return LogHeader(UnsafeRawBufferPointer(rebasing: buffer[..<count]))?.firstPosition
    }

    private mutating func scanFile(
        _ number: UInt64, isLast: Bool, position: Int64, next firstOfNext: Int64?,
        _ body: (RecordKind, Int64, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> LogEnd {
        let name = FileNames.log(number)
        let file = try files.open(name)
        let size = try file.size()
        let content = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 8, alignment: 16)
        defer { content.deallocate() }
        let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: content[..<size]), at: 0)
        let bytes = UnsafeRawBufferPointer(rebasing: content[..<count])
        var position = position
        var offset = LogHeader.size
        if let header = LogHeader(bytes) {
            guard header.version <= LogHeader.version else {
                throw StoreError(.newerSchema, "the log was written by a newer version", details: ["file": name])
            }
            position = max(position, header.firstPosition - 1)
        } else if isLast, !Self.hasRecord(bytes, from: 0) {
            // The crash came while the file was made: nothing in it was ever acknowledged.
            try file.truncate(to: 0)
            return LogEnd(number: number, offset: 0, position: position)
        } else {
            damage.append(Self.named(name, 0))
        }
        while offset < bytes.count {
            if let header = Self.record(bytes, offset) {
                if header.kind == RecordKind.mark.rawValue {
                    // The next record overwrites a mark, so the log goes on here.
                    if Self.nextRecord(bytes, after: offset) == nil { break }
                } else if header.position > after {
                    try hand(header, bytes, offset, name, body)
                }
                position = max(position, header.position)
                offset += RecordHeader.size + header.length
                continue
            }
            let next = Self.nextRecord(bytes, after: offset)
            // The mark at the end of a file is not synced, so a file may end with a torn one: only what is missing before
            // the next file tells of damage.
            guard Self.wasSynced(position, bytes, after: offset) || (firstOfNext ?? 0) > position + 1 else { break }
            damage.append(Self.named(name, offset))
            guard let next else { break }
            offset = next.offset
        }
        if isLast, damage.isEmpty { try file.truncate(to: offset) }
        return LogEnd(number: number, offset: offset, position: position)
    }

    private mutating func hand(
        _ header: RecordHeader, _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ name: String,
        _ body: (RecordKind, Int64, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard let kind = RecordKind(rawValue: header.kind) else {
            throw StoreError(.newerSchema, "the log holds a record of a newer version", details: ["file": name])
        }
        let start = offset + RecordHeader.size
        do throws(StoreError) {
            try body(kind, header.position, UnsafeRawBufferPointer(rebasing: bytes[start..<start + header.length]))
        } catch  where error.code == .damaged && error.details["file"] == nil {
            // The record is whole and names what a damaged one defined: the rest stays readable.
            damage.append(Self.named(name, offset))
        }
    }

    /// The record at `offset`, when its checksums hold.
    private static func record(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> RecordHeader? {
        guard offset + RecordHeader.size <= bytes.count,
            let header = RecordHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...])),
            offset + RecordHeader.size + header.length <= bytes.count
        else { return nil }
        let start = offset + RecordHeader.size
        let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + header.length])
        return Checksum.of(payload) == header.payloadChecksum ? header : nil
    }

    /// The next place where a whole record begins.
    private static func nextRecord(
        _ bytes: UnsafeRawBufferPointer, after offset: Int
    ) -> (offset: Int, header: RecordHeader)? {
        var offset = offset + 8
        while offset + RecordHeader.size <= bytes.count {
            if let header = record(bytes, offset) { return (offset, header) }
            offset += 8
        }
        return nil
    }

    /// Whether some record behind `offset` says that more than `position` had been synced.
    ///
    /// The next one may not: records that were written together all name what was synced before the first of them.
    private static func wasSynced(_ position: Int64, _ bytes: UnsafeRawBufferPointer, after offset: Int) -> Bool {
        var offset = offset
        while let next = nextRecord(bytes, after: offset) {
            if next.header.synced > position { return true }
            offset = next.offset
        }
        return false
    }

    private static func hasRecord(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> Bool {
        record(bytes, LogHeader.size) != nil || nextRecord(bytes, after: offset) != nil
    }

    private static func named(_ file: String, _ offset: Int) -> StoreError {
        StoreError(
            .damaged, "a record of the series log is not what was written",
            details: ["file": file, "offset": String(offset)])
    }
}
