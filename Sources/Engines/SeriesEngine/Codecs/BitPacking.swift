/// Numbers of a fixed count of bits, one behind the other, least significant bit first.
enum BitPacking {
    /// How many bits the greatest of the numbers takes.
    static func width(_ values: [UInt64]) -> Int {
        64 - values.reduce(0, |).leadingZeroBitCount
    }

    static func pack(_ values: [UInt64], width: Int) -> [UInt8] {
        guard width > 0 else { return [] }
        let size = (values.count * width + 7) / 8
        var words = [UInt64](repeating: 0, count: size / 8 + 2)
        var bit = 0
        for value in values {
            let word = bit >> 6
            let shift = UInt64(bit & 63)
            words[word] |= value << shift
            if Int(shift) + width > 64 { words[word + 1] |= value >> (64 - shift) }
            bit += width
        }
        return words.withUnsafeBytes { raw in
            // Little-endian words are the bytes in order.
            Array(raw.prefix(size))
        }
    }

    static func unpack(_ bytes: ArraySlice<UInt8>, count: Int, width: Int) throws(ByteReader.Malformed) -> [UInt64] {
        guard width <= 64, bytes.count == (count * width + 7) / 8 else { throw ByteReader.Malformed() }
        guard width > 0 else { return [UInt64](repeating: 0, count: count) }
        var words = [UInt64](repeating: 0, count: bytes.count / 8 + 2)
        words.withUnsafeMutableBytes { target in bytes.withUnsafeBytes { target.copyMemory(from: $0) } }
        let mask: UInt64 = width == 64 ? .max : 1 << UInt64(width) - 1
        return [UInt64](unsafeUninitializedCapacity: count) { target, initialized in
            words.withUnsafeBufferPointer { words in
                var bit = 0
                for index in 0..<count {
                    let word = bit >> 6
                    let shift = UInt64(bit & 63)
                    // Shifting twice makes the part from the next word vanish when the shift is zero.
                    let value = words[word] &>> shift | (words[word + 1] << 1) << (63 - shift)
                    target[index] = value & mask
                    bit += width
                }
            }
            initialized = count
        }
    }
}
