/// A growing buffer of raw bytes that starts with room for a record's header.
///
/// A class with one owner at a time: the caller that fills it hands it to the log and does not touch it again. All
/// numbers are little-endian, and ``pad()`` keeps what follows on a multiple of eight.
final class RecordBuffer: @unchecked Sendable {
    // Unchecked: ownership passes from the filling task to the log's thread through a locked queue.
    private(set) var bytes: UnsafeMutableRawPointer
    private(set) var count: Int
    private var capacity: Int
    /// The layouts of a batch's tables, so that applying it looks nothing up.
    var layouts: [RowLayout] = []

    init(capacity: Int = 4096) {
        self.capacity = max(capacity + RecordHeader.size, 256)
        bytes = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
        count = RecordHeader.size
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: RecordHeader.size)
    }

    deinit {
        bytes.deallocate()
    }

    /// Everything after the header.
    var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + RecordHeader.size, count: count - RecordHeader.size)
    }

    var whole: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    /// Makes room for `size` more bytes and returns where they begin; the caller fills all of them.
    func extend(by size: Int) -> UnsafeMutableRawPointer {
        if count + size > capacity { grow(to: count + size) }
        defer { count += size }
        return bytes + count
    }

    /// Forgets the payload and keeps the memory.
    func removeAll() {
        count = RecordHeader.size
    }

    private func grow(to needed: Int) {
        capacity = max(needed, capacity * 2)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        grown.copyMemory(from: bytes, byteCount: count)
        bytes.deallocate()
        bytes = grown
    }

    func append<Number: FixedWidthInteger>(_ number: Number) {
        extend(by: MemoryLayout<Number>.size).storeBytes(of: number.littleEndian, as: Number.self)
    }

    /// The length in four bytes, then the text.
    func append(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(UInt32(utf8.count))
            let room = extend(by: utf8.count)
            if let start = utf8.baseAddress { room.copyMemory(from: start, byteCount: utf8.count) }
        }
    }

    func pad() {
        while count % 8 != 0 { append(UInt8(0)) }
    }
}

/// Reads what ``RecordBuffer`` wrote; past the end, everything is `nil`.
struct RecordReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number? {
        guard position + MemoryLayout<Number>.size <= bytes.count else { return nil }
        defer { position += MemoryLayout<Number>.size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    mutating func text() -> String? {
        guard let length = number(UInt32.self), position + Int(length) <= bytes.count else { return nil }
        defer { position += Int(length) }
        return String(decoding: bytes[position..<position + Int(length)], as: UTF8.self)
    }

    /// The next `count` bytes.
    mutating func slice(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, position + count <= bytes.count else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func skipPadding() {
        position = (position + 7) & ~7
    }
}
