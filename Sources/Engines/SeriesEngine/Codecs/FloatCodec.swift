/// Encodes floats as scaled decimals where their exact bits come back, as differences of bits otherwise.
///
/// | Byte 0 | What follows |
/// |---|---|
/// | 0…9 | decimals: that many places; count of exceptions; for each its index and its eight bytes; the integers |
/// | 16 | bits: each XOR its neighbour before, as integers |
enum FloatCodec {
    private static let xorTag: UInt8 = 16
    static let placesMax = 9
    /// 2⁵¹: up to here ``numbers(_:power:)`` is exact.
    static let integerMax = 2_251_799_813_685_248.0
    static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

    /// 1.5 × 2⁵²: numbers of less than 2⁵¹ are rounded to integers when it is added, and their bits become those of integers.
    private static let magic = 6_755_399_441_055_744.0
    private static let magicBits = Int64(bitPattern: magic.bitPattern)

    /// Decimals that take no more than this for a value are taken as they are: differences of bits would take more.
    private static let plainBytesMin = 2

    static func encode(_ bits: [UInt64], _ effort: EncodingEffort = .thorough) -> [UInt8] {
        let decimals = decimals(bits, effort)
        if let decimals, decimals.count <= bits.count * plainBytesMin { return decimals }
        var previous: UInt64 = 0
        let xored = bits.map { value -> Int64 in
            defer { previous = value }
            return Int64(bitPattern: value ^ previous)
        }
        let plain = [xorTag] + IntegerCodec.encode(xored, effort)
        guard let decimals, decimals.count <= plain.count else { return plain }
        return decimals
    }

    /// Numbers as integers that divided by a power of ten give exactly their bits back.
    private struct Scaled {
        var integers: [Int64] = []
        /// Where no integer does; the one before stands there.
        var exceptions: [Int] = []
    }

    /// `nil` when there are more exceptions than allowed.
    private static func scaled(_ bits: [UInt64], _ power: Double, exceptionsMax: Int) -> Scaled? {
        var scaled = Scaled()
        scaled.integers = [Int64](unsafeUninitializedCapacity: bits.count) { target, initialized in
            var (index, previous) = (0, Int64(0))
            while index &+ 4 <= bits.count {
                let four = SIMD4(bits[index], bits[index &+ 1], bits[index &+ 2], bits[index &+ 3])
                let (integers, isExact) = scaled4(four, power)
                for lane in 0..<4 {
                    if isExact[lane] { previous = integers[lane] } else { scaled.exceptions.append(index &+ lane) }
                    target[index &+ lane] = previous
                }
                guard scaled.exceptions.count <= exceptionsMax else { return }
                index &+= 4
            }
            while index < bits.count {
                let (integers, isExact) = scaled4(SIMD4(repeating: bits[index]), power)
                if isExact[0] { previous = integers[0] } else { scaled.exceptions.append(index) }
                target[index] = previous
                index &+= 1
            }
            initialized = bits.count
        }
        return scaled.exceptions.count <= exceptionsMax ? scaled : nil
    }

    /// The nearest integers of four numbers times a power of ten, and which of them give the bits back.
    @inline(__always)
    private static func scaled4(_ bits: SIMD4<UInt64>, _ power: Double) -> (SIMD4<Int64>, SIMDMask<SIMD4<Int64>>) {
        let shifted = unsafeBitCast(bits, to: SIMD4<Double>.self) * power + magic
        let rounded = shifted - magic
        let back = unsafeBitCast(rounded / power, to: SIMD4<UInt64>.self)
        let isExact = (back .== bits) .& (rounded .< integerMax) .& (rounded .> -integerMax)
        return (unsafeBitCast(shifted, to: SIMD4<Int64>.self) &- magicBits, isExact)
    }

    private static func decimals(_ bits: [UInt64], _ effort: EncodingEffort) -> [UInt8]? {
        // Exceptions (NaN, −0, a stray long fraction) cost ten bytes each: past one in 32, bits are better.
        let allowed = bits.count / 32
        for (places, power) in powers.enumerated() {
            guard let scaled = scaled(bits, power, exceptionsMax: allowed) else { continue }
            var writer = ByteWriter()
            writer.append(UInt8(places))
            writer.append(varint: UInt64(scaled.exceptions.count))
            for index in scaled.exceptions {
                writer.append(varint: UInt64(index))
                writer.append(number: bits[index])
            }
            writer.append(contentsOf: IntegerCodec.encode(scaled.integers, effort))
            return writer.bytes
        }
        return nil
    }

    static func decode(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [UInt64] {
        // A move does not change the bits of a float, so the payload of a NaN is what was written.
        try numbers(bytes, count: count).map(\.bitPattern)
    }

    static func numbers(_ bytes: ArraySlice<UInt8>, count: Int) throws(ByteReader.Malformed) -> [Double] {
        guard count > 0 else { return [] }
        var reader = ByteReader(bytes)
        let tag = try reader.byte()
        if tag == xorTag {
            var previous: UInt64 = 0
            return try IntegerCodec.decode(bytes[reader.position...], count: count).map { value in
                previous ^= UInt64(bitPattern: value)
                return Double(bitPattern: previous)
            }
        }
        guard tag <= placesMax else { throw ByteReader.Malformed() }
        let exceptions = try reader.count(limit: count)
        var special: [(Int, UInt64)] = []
        for _ in 0..<exceptions { special.append((try reader.count(limit: count - 1), try reader.number())) }
        var result = try decimals(bytes[reader.position...], count: count, power: powers[Int(tag)])
        for (index, value) in special { result[index] = Double(bitPattern: value) }
        return result
    }

    /// For how many numbers a condition holds, asked of the integers where they are decimals without exceptions.
    static func count(
        _ bytes: ArraySlice<UInt8>, count: Int, where condition: NumberCondition.OfIntegers
    ) throws(ByteReader.Malformed) -> Int {
        guard count > 0 else { return 0 }
        var reader = ByteReader(bytes)
        let places = try reader.byte()
        if places <= placesMax, try reader.count(limit: count) == 0 {
            return try condition.count(bytes[reader.position...], count: count, places: Int(places))
        }
        return condition.condition.count(try numbers(bytes, count: count)[...])
    }

    /// Integers of less than 2⁵¹, divided by a power of ten in their own place.
    ///
    /// Processors convert one 64-bit integer at a time; adding to the bits of 1.5 × 2⁵² makes floats of many.
    private static func decimals(
        _ bytes: ArraySlice<UInt8>, count: Int, power: Double
    ) throws(ByteReader.Malformed) -> [Double] {
        var isWhole = true
        let values = [Double](unsafeUninitializedCapacity: count) { target, initialized in
            guard let start = target.baseAddress else { return }
            do throws(ByteReader.Malformed) {
                let raw = UnsafeMutableRawPointer(start)
                let (tag, reader) = try IntegerCodec.open(bytes, count: count)
                if let sums = try IntegerCodec.packedSums(tag, reader, count: count) {
                    // In one go, so that the processor divides while it unpacks what comes next.
                    sums.bits.withUnsafeBytes {
                        BitPacking.unpackQuotients(
                            $0, width: sums.width, adding: sums.least, from: sums.first, divisor: power,
                            to: UnsafeMutableBufferPointer(start: start, count: count))
                    }
                    initialized = count
                    return
                }
                if tag == IntegerCodec.runsTag {
                    // Each number is divided once, however often it comes.
                    var rest = reader
                    let runs = try IntegerRuns(&rest, count: count)
                    runs.expand(into: UnsafeMutableBufferPointer(start: start, count: count)) { Double($0) / power }
                    initialized = count
                    return
                }
                let integers = raw.bindMemory(to: Int64.self, capacity: count)
                try IntegerCodec.decode(tag, reader, UnsafeMutableBufferPointer(start: integers, count: count))
                var index = 0
                while index &+ 4 <= count {
                    let place = raw + index &* 8
                    let shifted = place.loadUnaligned(as: SIMD4<Int64>.self) &+ magicBits
                    let floats = (unsafeBitCast(shifted, to: SIMD4<Double>.self) - magic) / power
                    place.storeBytes(of: floats, as: SIMD4<Double>.self)
                    index &+= 4
                }
                while index < count {
                    let shifted = Double(bitPattern: UInt64(bitPattern: integers[index] &+ magicBits))
                    raw.storeBytes(of: (shifted - magic) / power, toByteOffset: index &* 8, as: Double.self)
                    index &+= 1
                }
                _ = raw.bindMemory(to: Double.self, capacity: count)
                initialized = count
            } catch {
                isWhole = false
            }
        }
        guard isWhole else { throw ByteReader.Malformed() }
        return values
    }
}
