/// Encodes integers by whichever of several ways makes the fewest bytes.
///
/// | Byte 0 | What follows |
/// |---|---|
/// | 0 | constant: the number (signed varint) |
/// | 1 + t | bit packing: for each of t differences its first number; the least (signed varint); width; bits |
/// | 4 + t | byte planes: as above, with the count of bytes per number; all first bytes, all second … |
/// | 7 | runs: their count, their numbers (a block), their lengths (a block) |
///
/// t is how often neighbours were subtracted: 0, 1 (delta) or 2 (delta of delta). Subtraction wraps, so every number
/// comes back. With 16 added to byte 0, what follows is its own length and zstd of it.
enum IntegerCodec {
    static let zstdFlag: UInt8 = 16
    static let runsTag: UInt8 = 7

    static func decode(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [Int64] {
        guard count > 0 else { return [] }
        let (tag, reader) = try open(bytes, count: count)
        return try decoded(tag, reader, count: count)
    }

    /// The numbers behind a tag.
    static func decoded(
        _ tag: UInt8, _ reader: ByteReader, count: Int
    ) throws(ByteReader.Malformed) -> [Int64] {
        var isWhole = true
        let values = [Int64](unsafeUninitializedCapacity: count) { target, initialized in
            do throws(ByteReader.Malformed) {
                try decode(tag, reader, UnsafeMutableBufferPointer(rebasing: target[..<count]))
                initialized = count
            } catch {
                isWhole = false
            }
        }
        guard isWhole else { throw ByteReader.Malformed() }
        return values
    }

    /// The tag and what follows it, without zstd.
    static func open(
        _ bytes: ArraySlice<UInt8>, count: Int
    ) throws(ByteReader.Malformed) -> (tag: UInt8, reader: ByteReader) {
        var reader = ByteReader(bytes)
        let tag = try reader.byte()
        guard tag & zstdFlag != 0 else { return (tag, reader) }
        let size = try reader.count(limit: count * 18 + 64)
        let whole = try Zstandard.decompressed(bytes[reader.position...], count: size)
        return (tag & ~zstdFlag, ByteReader(whole))
    }

    /// Numbers as packed differences of neighbours, not unpacked yet.
    struct PackedSums {
        let first: Int64
        let least: Int64
        let width: Int
        let bits: ArraySlice<UInt8>
    }

    /// The differences behind a tag, when that is what it says.
    static func packedSums(
        _ tag: UInt8, _ start: ByteReader, count: Int
    ) throws(ByteReader.Malformed) -> PackedSums? {
        guard tag == 2, count > 1 else { return nil }
        var reader = start
        let (first, least) = (try reader.signed(), try reader.signed())
        let width = Int(try reader.byte())
        guard (1...57).contains(width) else { return nil }
        let bits = try reader.slice(BitPacking.byteCount(count - 1, width: width))
        return PackedSums(first: first, least: least, width: width, bits: bits)
    }

    static func decode(
        _ tag: UInt8, _ start: ByteReader, _ target: UnsafeMutableBufferPointer<Int64>
    ) throws(ByteReader.Malformed) {
        var reader = start
        switch tag {
        case 0: target.update(repeating: try reader.signed())
        case 1...6: try differences(tag, &reader, target)
        case runsTag: try IntegerRuns(&reader, count: target.count).expand(into: target) { $0 }
        default: throw ByteReader.Malformed()
        }
    }

    private static func differences(
        _ tag: UInt8, _ reader: inout ByteReader, _ values: UnsafeMutableBufferPointer<Int64>
    ) throws(ByteReader.Malformed) {
        let order = Int(tag - 1) % 3
        let count = values.count
        guard count > order else { throw ByteReader.Malformed() }
        var firsts: [Int64] = []
        for _ in 0..<order { firsts.append(try reader.signed()) }
        let least = try reader.signed()
        let rest = count - order
        let size = Int(try reader.byte())
        let isPacked = tag <= 3
        guard size <= (isPacked ? 64 : 8) else { throw ByteReader.Malformed() }
        let slice = try reader.slice(isPacked ? BitPacking.byteCount(rest, width: size) : rest * size)
        let tail = UnsafeMutableBufferPointer(rebasing: values[order...])
        var sums = order
        slice.withUnsafeBytes { bytes in
            if isPacked, let last = firsts.last {
                // The last differences become sums on the way.
                values[order - 1] = last
                BitPacking.unpackSums(bytes, width: size, adding: least, from: last, to: tail)
                sums = order - 1
            } else if isPacked {
                BitPacking.unpack(bytes, width: size, adding: least, to: tail)
            } else {
                join(bytes, planes: size, adding: least, to: tail)
            }
        }
        // Each difference becomes a sum in its own place, the last differences first.
        for level in (0..<sums).reversed() {
            values[level] = firsts[level]
            var sum = firsts[level]
            var index = level + 1
            while index < count {
                sum &+= values[index]
                values[index] = sum
                index &+= 1
            }
        }
    }

    /// Puts numbers together from their first bytes, their second bytes and so on.
    private static func join(
        _ bytes: UnsafeRawBufferPointer, planes: Int, adding least: Int64,
        to target: UnsafeMutableBufferPointer<Int64>
    ) {
        target.update(repeating: least)
        let count = target.count
        for plane in 0..<planes {
            let shift = UInt64(plane * 8)
            let own = UnsafeRawBufferPointer(rebasing: bytes[plane * count..<(plane + 1) * count])
            var index = 0
            while index < count {
                target[index] &+= Int64(bitPattern: UInt64(own[index]) &<< shift)
                index &+= 1
            }
        }
    }
}
