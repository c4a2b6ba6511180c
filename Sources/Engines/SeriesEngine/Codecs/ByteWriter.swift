/// Bytes under construction; numbers are little-endian.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append<Number: FixedWidthInteger>(number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Seven bits per byte, least first; the high bit says that more follow.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func append(signed value: Int64) { append(varint: value.zigzag) }

    mutating func append(contentsOf other: [UInt8]) { bytes += other }

    /// The length, then the bytes.
    mutating func append(block: [UInt8]) {
        append(varint: UInt64(block.count))
        bytes += block
    }

    mutating func append(text: String) { append(block: Array(text.utf8)) }
}

/// Reads what ``ByteWriter`` wrote; past the end it throws.
struct ByteReader {
    /// The bytes are not what a writer makes.
    struct Malformed: Error {}

    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func byte() throws(Malformed) -> UInt8 {
        guard position < bytes.endIndex else { throw Malformed() }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(Malformed) -> Number {
        let slice = try slice(MemoryLayout<Number>.size)
        var value = Number.zero
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: slice) }
        return Number(littleEndian: value)
    }

    mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let byte = try byte()
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw Malformed()
    }

    mutating func signed() throws(Malformed) -> Int64 { Int64(zigzag: try varint()) }

    /// A count of things of which each takes at least one bit of what is left, or at most `limit`.
    mutating func count(limit: Int) throws(Malformed) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else { throw Malformed() }
        return Int(value)
    }

    mutating func slice(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - position else { throw Malformed() }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func block() throws(Malformed) -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(bytes.endIndex - position) else { throw Malformed() }
        return try slice(Int(length))
    }

    mutating func text() throws(Malformed) -> String { String(decoding: try block(), as: UTF8.self) }
}

extension Int64 {
    /// Small magnitudes become small numbers: 0, −1, 1, −2 become 0, 1, 2, 3.
    var zigzag: UInt64 { UInt64(bitPattern: self << 1 ^ self >> 63) }

    init(zigzag value: UInt64) { self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}
