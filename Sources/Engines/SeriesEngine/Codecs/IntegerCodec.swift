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
    private static let zstdFlag: UInt8 = 16

    static func encode(_ values: [Int64]) -> [UInt8] {
        guard let first = values.first else { return [] }
        if values.allSatisfy({ $0 == first }) {
            var writer = ByteWriter()
            writer.append(0)
            writer.append(signed: first)
            return writer.bytes
        }
        var best: [UInt8]?
        func offer(_ candidate: [UInt8]) {
            if candidate.count < best?.count ?? .max { best = candidate }
        }
        var differences = values
        var firsts: [Int64] = []
        for order in 0...2 {
            if order > 0 {
                firsts.append(differences[0])
                differences = zip(differences.dropFirst(), differences).map { $0 &- $1 }
                if differences.isEmpty { break }
            }
            for plan in packed(differences, firsts, order) { offer(plan) }
        }
        if let runs = runs(values) { offer(runs) }
        return best ?? []
    }

    private static func packed(_ values: [Int64], _ firsts: [Int64], _ order: Int) -> [[UInt8]] {
        let least = values.min() ?? 0
        let offsets = values.map { UInt64(bitPattern: $0 &- least) }
        let width = BitPacking.width(offsets)
        var head = ByteWriter()
        for first in firsts { head.append(signed: first) }
        head.append(signed: least)
        var bits = head
        bits.append(UInt8(width))
        bits.append(contentsOf: BitPacking.pack(offsets, width: width))
        var planes = head
        let size = (width + 7) / 8
        planes.append(UInt8(size))
        for plane in 0..<size {
            for offset in offsets { planes.append(UInt8(truncatingIfNeeded: offset >> UInt64(plane * 8))) }
        }
        return [tagged(UInt8(1 + order), bits.bytes), tagged(UInt8(4 + order), planes.bytes)]
    }

    private static func runs(_ values: [Int64]) -> [UInt8]? {
        var numbers: [Int64] = []
        var lengths: [Int64] = []
        for value in values {
            if numbers.last == value {
                lengths[lengths.count - 1] += 1
            } else {
                numbers.append(value)
                lengths.append(1)
            }
        }
        guard numbers.count * 4 < values.count else { return nil }
        var writer = ByteWriter()
        writer.append(varint: UInt64(numbers.count))
        writer.append(block: encode(numbers))
        writer.append(block: encode(lengths))
        return tagged(7, writer.bytes)
    }

    private static func tagged(_ tag: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        if let smaller = Zstandard.compressed(bytes) {
            writer.append(tag | zstdFlag)
            writer.append(varint: UInt64(bytes.count))
            writer.append(contentsOf: smaller)
            if writer.bytes.count < bytes.count + 1 { return writer.bytes }
        }
        return [tag] + bytes
    }

    static func decode(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [Int64] {
        guard count > 0 else { return [] }
        var reader = ByteReader(bytes)
        let tag = try reader.byte()
        if tag & zstdFlag != 0 {
            let size = try reader.count(limit: count * 18 + 64)
            let whole = try Zstandard.decompressed(bytes[reader.position...], count: size)
            return try decode(tag & ~zstdFlag, ByteReader(whole), count)
        }
        return try decode(tag, reader, count)
    }

    private static func decode(_ tag: UInt8, _ start: ByteReader, _ count: Int) throws(ByteReader.Malformed) -> [Int64]
    {
        var reader = start
        switch tag {
        case 0: return [Int64](repeating: try reader.signed(), count: count)
        case 1...6: return try differences(tag, &reader, count)
        case 7:
            let runs = try reader.count(limit: count)
            let numbers = try decode(try reader.block(), count: runs)
            let lengths = try decode(try reader.block(), count: runs)
            var result: [Int64] = []
            result.reserveCapacity(count)
            for (number, length) in zip(numbers, lengths) {
                guard length > 0, length <= count - result.count else { throw ByteReader.Malformed() }
                result.append(contentsOf: repeatElement(number, count: Int(length)))
            }
            guard result.count == count else { throw ByteReader.Malformed() }
            return result
        default: throw ByteReader.Malformed()
        }
    }

    private static func differences(
        _ tag: UInt8, _ reader: inout ByteReader, _ count: Int
    ) throws(ByteReader.Malformed) -> [Int64] {
        let order = Int(tag - 1) % 3
        guard count > order else { throw ByteReader.Malformed() }
        var firsts: [Int64] = []
        for _ in 0..<order { firsts.append(try reader.signed()) }
        let least = try reader.signed()
        let rest = count - order
        let offsets: [UInt64]
        if tag <= 3 {
            let width = Int(try reader.byte())
            guard width <= 64 else { throw ByteReader.Malformed() }
            offsets = try BitPacking.unpack(try reader.slice((rest * width + 7) / 8), count: rest, width: width)
        } else {
            offsets = try planes(&reader, rest)
        }
        var values = offsets.map { Int64(bitPattern: $0) &+ least }
        for first in firsts.reversed() {
            var sum = first
            var whole: [Int64] = [sum]
            whole.reserveCapacity(values.count + 1)
            for value in values {
                sum &+= value
                whole.append(sum)
            }
            values = whole
        }
        return values
    }

    private static func planes(_ reader: inout ByteReader, _ count: Int) throws(ByteReader.Malformed) -> [UInt64] {
        let size = Int(try reader.byte())
        guard size <= 8 else { throw ByteReader.Malformed() }
        var result = [UInt64](repeating: 0, count: count)
        for plane in 0..<size {
            let bytes = try reader.slice(count)
            bytes.withUnsafeBufferPointer { bytes in
                for index in 0..<count { result[index] |= UInt64(bytes[index]) << UInt64(plane * 8) }
            }
        }
        return result
    }
}
