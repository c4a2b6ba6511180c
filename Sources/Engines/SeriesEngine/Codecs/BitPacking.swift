/// Numbers of a fixed count of bits, one behind the other, least significant bit first.
enum BitPacking {
    static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

    /// The numbers minus the least of them, which then take `width` bits each.
    static func pack(_ values: [Int64], minus least: Int64, width: Int) -> [UInt8] {
        guard width > 0 else { return [] }
        let size = byteCount(values.count, width: width)
        // The last word may reach beyond the last byte.
        return [UInt8](unsafeUninitializedCapacity: size + 8) { target, initialized in
            let raw = UnsafeMutableRawPointer(target.baseAddress!)
            var (word, used, place): (UInt64, Int, Int) = (0, 0, 0)
            for value in values {
                let bits = UInt64(bitPattern: value &- least)
                word |= bits &<< UInt64(truncatingIfNeeded: used)
                used &+= width
                if used >= 64 {
                    raw.storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt64.self)
                    place &+= 8
                    used &-= 64
                    word = used == 0 ? 0 : bits &>> UInt64(truncatingIfNeeded: width &- used)
                }
            }
            if used > 0 { raw.storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt64.self) }
            initialized = size
        }
    }

    /// Writes each number, with `least` added, to `target`; `bytes` are as many as ``byteCount(_:width:)`` says.
    static func unpack(
        _ bytes: UnsafeRawBufferPointer, width: Int, adding least: Int64, to target: UnsafeMutableBufferPointer<Int64>
    ) {
        each(bytes, width: width, count: target.count) { index, bits in
            target[index] = Int64(bitPattern: bits) &+ least
        }
    }

    /// As ``unpack(_:width:adding:to:)``, but writes sums: `first` and everything so far.
    static func unpackSums(
        _ bytes: UnsafeRawBufferPointer, width: Int, adding least: Int64, from first: Int64,
        to target: UnsafeMutableBufferPointer<Int64>
    ) {
        var sum = first
        each(bytes, width: width, count: target.count) { index, bits in
            sum &+= Int64(bitPattern: bits) &+ least
            target[index] = sum
        }
    }

    /// Writes `first` and each sum of it and what follows, all divided by `divisor`; sums are less than 2⁵¹.
    ///
    /// Processors convert one 64-bit integer at a time; adding to the bits of 1.5 × 2⁵² makes floats of many.
    /// - Parameter width: 1 to 57 bits, which lie in eight bytes wherever they begin.
    static func unpackQuotients(
        _ bytes: UnsafeRawBufferPointer, width: Int, adding least: Int64, from first: Int64, divisor: Double,
        to target: UnsafeMutableBufferPointer<Double>
    ) {
        guard let start = bytes.baseAddress, let values = target.baseAddress else { return }
        let (offset, magic) = (6_755_399_441_055_744.0, Int64(bitPattern: (6_755_399_441_055_744.0).bitPattern))
        @inline(__always) func quotient(_ sum: Int64) -> Double {
            (Double(bitPattern: UInt64(bitPattern: sum &+ magic)) - offset) / divisor
        }
        let mask: UInt64 = 1 << UInt64(width) - 1
        @inline(__always) func difference(_ bit: Int) -> Int64 {
            let word = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
            return Int64(bitPattern: word &>> UInt64(truncatingIfNeeded: bit & 7) & mask) &+ least
        }
        let count = target.count &- 1
        let whole = max(0, min(count, (bytes.count - 8) * 8 / width))
        values[0] = quotient(first)
        var (sum, bit, index) = (first, 0, 0)
        while index &+ 4 <= whole {
            let sum0 = sum &+ difference(bit)
            let sum1 = sum0 &+ difference(bit &+ width)
            let sum2 = sum1 &+ difference(bit &+ 2 &* width)
            let sum3 = sum2 &+ difference(bit &+ 3 &* width)
            let shifted = SIMD4<Int64>(sum0, sum1, sum2, sum3) &+ magic
            let floats = (unsafeBitCast(shifted, to: SIMD4<Double>.self) - offset) / divisor
            UnsafeMutableRawPointer(values + (index &+ 1)).storeBytes(of: floats, as: SIMD4<Double>.self)
            sum = sum3
            bit &+= 4 &* width
            index &+= 4
        }
        while index < count {
            sum &+= Int64(bitPattern: bits(bytes, at: index &* width) & mask) &+ least
            values[index &+ 1] = quotient(sum)
            index &+= 1
        }
    }

    /// How many of `first` and the sums of it and what follows are at least `bound`.
    /// - Parameter width: 1 to 57 bits, which lie in eight bytes wherever they begin.
    static func countSums(
        _ bytes: UnsafeRawBufferPointer, width: Int, adding least: Int64, from first: Int64, count: Int,
        atLeast bound: Int64
    ) -> Int {
        var (sum, found) = (first, first >= bound ? 1 : 0)
        each(bytes, width: width, count: count &- 1) { _, bits in
            sum &+= Int64(bitPattern: bits) &+ least
            found &+= sum >= bound ? 1 : 0
        }
        return found
    }

    @inline(__always)
    private static func each(
        _ bytes: UnsafeRawBufferPointer, width: Int, count: Int, _ body: (Int, UInt64) -> Void
    ) {
        var index = 0
        guard let start = bytes.baseAddress, width > 0 else {
            while index < count {
                body(index, 0)
                index &+= 1
            }
            return
        }
        let mask: UInt64 = width == 64 ? .max : 1 << UInt64(width) - 1
        // Up to 57 bits lie in eight bytes wherever they begin.
        if width <= 57 {
            let whole = max(0, min(count, (bytes.count - 8) * 8 / width))
            var bit = 0
            while index < whole {
                let word = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
                body(index, word &>> UInt64(truncatingIfNeeded: bit & 7) & mask)
                bit &+= width
                index &+= 1
            }
        }
        while index < count {
            body(index, bits(bytes, at: index * width) & mask)
            index &+= 1
        }
    }

    private static func bits(_ bytes: UnsafeRawBufferPointer, at bit: Int) -> UInt64 {
        let first = bit >> 3
        let shift = UInt64(bit & 7)
        var low: UInt64 = 0
        for byte in first..<min(first + 8, bytes.count) { low |= UInt64(bytes[byte]) << UInt64((byte - first) * 8) }
        guard shift > 0, first + 8 < bytes.count else { return low >> shift }
        return low >> shift | UInt64(bytes[first + 8]) << (64 - shift)
    }
}
