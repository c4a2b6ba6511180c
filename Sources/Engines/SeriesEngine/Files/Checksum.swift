/// XXH64, the checksum of everything that the engine writes itself.
///
/// Reads eight bytes per multiplication, so that checking costs little next to copying. Source: the xxHash fast digest
/// algorithm, version 0.1.1.
enum Checksum {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        var position = 0
        var hash: UInt64
        if bytes.count >= 32 {
            var lane1 = seed &+ prime1 &+ prime2
            var lane2 = seed &+ prime2
            var lane3 = seed
            var lane4 = seed &- prime1
            while position + 32 <= bytes.count {
                lane1 = round(lane1, word(bytes, position))
                lane2 = round(lane2, word(bytes, position + 8))
                lane3 = round(lane3, word(bytes, position + 16))
                lane4 = round(lane4, word(bytes, position + 24))
                position += 32
            }
            hash = rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
            for lane in [lane1, lane2, lane3, lane4] { hash = (hash ^ round(0, lane)) &* prime1 &+ prime4 }
        } else {
            hash = seed &+ prime5
        }
        return finish(hash &+ UInt64(bytes.count), bytes, from: position)
    }

    private static func finish(_ start: UInt64, _ bytes: UnsafeRawBufferPointer, from start1: Int) -> UInt64 {
        var hash = start
        var position = start1
        while position + 8 <= bytes.count {
            hash = rotate(hash ^ round(0, word(bytes, position)), 27) &* prime1 &+ prime4
            position += 8
        }
        if position + 4 <= bytes.count {
            let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            hash = rotate(hash ^ half &* prime1, 23) &* prime2 &+ prime3
            position += 4
        }
        while position < bytes.count {
            hash = rotate(hash ^ UInt64(bytes[position]) &* prime5, 11) &* prime1
            position += 1
        }
        hash = (hash ^ hash >> 33) &* prime2
        hash = (hash ^ hash >> 29) &* prime3
        return hash ^ hash >> 32
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotate(lane &+ input &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value << bits | value >> (64 - bits)
    }
}

/// Bytes behind their checksum: eight bytes, XXH64 of all that follows.
extension Checksum {
    static func seal(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(number: bytes.withUnsafeBytes { of($0) })
        writer.append(contentsOf: bytes)
        return writer.bytes
    }

    /// What lies behind the checksum.
    static func open(_ bytes: [UInt8]) throws(ByteReader.Malformed) -> ByteReader {
        let isWhole = bytes.withUnsafeBytes { raw in
            raw.count > 8
                && of(UnsafeRawBufferPointer(rebasing: raw[8...]))
                    == UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
        }
        guard isWhole else { throw ByteReader.Malformed() }
        return ByteReader(bytes[8...])
    }
}
