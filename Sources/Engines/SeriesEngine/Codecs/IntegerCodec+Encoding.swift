/// How hard a writer looks for the fewest bytes.
enum EncodingEffort {
    /// For what is written again soon: the way that looks best is taken.
    case quick
    /// For what stays: ways that may be best are tried.
    case thorough
}

extension IntegerCodec {
    static func encode(_ values: [Int64], _ effort: EncodingEffort = .thorough) -> [UInt8] {
        guard let first = values.first else { return [] }
        let runs = runCount(values)
        if runs == 1 {
            var writer = ByteWriter()
            writer.append(0)
            writer.append(signed: first)
            return writer.bytes
        }
        if effort == .quick, runs * 16 < values.count { return self.runs(values, runs, effort) }
        let orders = IntegerDifferences.all(of: values)
        // A steady step takes the bytes of three numbers, which nothing else can do.
        if let steady = orders.first(where: { $0.width == 0 }), values.count >= tinyMax { return steady.bits }
        return effort == .quick ? likely(orders) : smallest(orders, values, runs)
    }

    /// What looks best, with or without zstd.
    private static func likely(_ orders: [IntegerDifferences]) -> [UInt8] {
        guard let order = orders.min(by: { $0.estimate < $1.estimate }) else { return [] }
        let bits = order.bits
        if order.isEven { return bits }
        // zstd finds bytes that come often, and packed bits are such where none lies in two of them.
        let compressed = compressed(8 % order.width == 0 ? bits : order.planes, quickLevel)
        return compressed.map { $0.count < bits.count ? $0 : bits } ?? bits
    }

    /// The smallest of all that may be.
    private static func smallest(_ orders: [IntegerDifferences], _ values: [Int64], _ runs: Int) -> [UInt8] {
        var best: [UInt8] = []
        func offer(_ candidate: [UInt8]) {
            if best.isEmpty || candidate.count < best.count { best = candidate }
        }
        let least = orders.map(\.estimate).min() ?? 0
        for order in orders where order.estimate <= 1.25 * least || values.count < tinyMax {
            let (bits, planes) = (order.bits, order.planes)
            offer(bits)
            // What is spread evenly over its bits becomes smaller only where all of it comes again, which a short look finds.
            if order.isEven, compressed(planes, quickLevel) == nil { continue }
            for plain in [bits, planes] {
                offer(plain)
                if let smaller = compressed(plain, Zstandard.level) { offer(smaller) }
            }
        }
        if runs * 4 < values.count {
            let plain = self.runs(values, runs, .thorough)
            offer(plain)
            if let smaller = compressed(plain, Zstandard.level) { offer(smaller) }
        }
        return best
    }

    /// Of fewer numbers than this every way is tried: what comes before the numbers counts most.
    private static let tinyMax = 64
    private static let quickLevel: Int32 = 1

    private static func runCount(_ values: [Int64]) -> Int {
        values.withUnsafeBufferPointer { values in
            var (count, index) = (1, 1)
            while index < values.count {
                count &+= values[index] == values[index &- 1] ? 0 : 1
                index &+= 1
            }
            return count
        }
    }

    private static func runs(_ values: [Int64], _ count: Int, _ effort: EncodingEffort) -> [UInt8] {
        var numbers: [Int64] = []
        var lengths: [Int64] = []
        numbers.reserveCapacity(count)
        lengths.reserveCapacity(count)
        var start = 0
        for index in 1...values.count where index == values.count || values[index] != values[start] {
            numbers.append(values[start])
            lengths.append(Int64(index - start))
            start = index
        }
        var writer = ByteWriter()
        writer.append(runsTag)
        writer.append(varint: UInt64(count))
        writer.append(block: encode(numbers, effort))
        writer.append(block: encode(lengths, effort))
        return writer.bytes
    }

    /// The same behind zstd, or `nil` when that is no smaller.
    private static func compressed(_ plain: [UInt8], _ level: Int32) -> [UInt8]? {
        guard let smaller = Zstandard.compressed(plain[1...], level: level) else { return nil }
        var writer = ByteWriter()
        writer.append(plain[0] | zstdFlag)
        writer.append(varint: UInt64(plain.count - 1))
        writer.append(contentsOf: smaller)
        return writer.bytes.count < plain.count ? writer.bytes : nil
    }
}

/// Numbers, or the differences of neighbours, or the differences of those; what each takes is known before it is written.
struct IntegerDifferences {
    private let order: Int
    /// The first number of each subtraction.
    private let firsts: [Int64]
    private let values: [Int64]
    private let least: Int64
    /// Bits of the greatest number minus the least.
    let width: Int
    /// About how many bytes they take at best, from how often each byte comes.
    let estimate: Double

    /// As they are, subtracted once and subtracted twice, as far as there are enough.
    static func all(of values: [Int64]) -> [IntegerDifferences] {
        var result = [IntegerDifferences(0, [], values)]
        while result.count < 3, let last = result.last, last.values.count > 1 {
            result.append(IntegerDifferences(result.count, last.firsts + [last.values[0]], differences(last.values)))
        }
        return result
    }

    private init(_ order: Int, _ firsts: [Int64], _ values: [Int64]) {
        self.order = order
        self.firsts = firsts
        self.values = values
        var (least, most) = (values[0], values[0])
        for value in values {
            least = min(least, value)
            most = max(most, value)
        }
        self.least = least
        width = 64 - (most &- least).leadingZeroBitCount
        estimate = Self.estimate(values, least, width)
    }

    private static func differences(_ values: [Int64]) -> [Int64] {
        [Int64](unsafeUninitializedCapacity: values.count - 1) { target, initialized in
            values.withUnsafeBufferPointer { values in
                var index = 1
                while index < values.count {
                    target[index &- 1] = values[index] &- values[index &- 1]
                    index &+= 1
                }
            }
            initialized = values.count - 1
        }
    }

    /// Whether packed bits are about the best that there is.
    var isEven: Bool { estimate >= 0.95 * Double(BitPacking.byteCount(values.count, width: width)) }

    /// Of so many neighbours each, at so many places, bytes are counted.
    private static let (neighbours, places) = (64, 16)

    /// The entropy of the bytes of each plane, or the packed bits where that is less.
    private static func estimate(_ values: [Int64], _ least: Int64, _ width: Int) -> Double {
        let packed = Double(BitPacking.byteCount(values.count, width: width))
        let stride = max(neighbours, values.count / places)
        let bits = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { counts in
            var bits = 0.0
            for plane in 0..<(width + 7) / 8 {
                counts.initialize(repeating: 0)
                let shift = UInt64(plane * 8)
                var (start, seen) = (0, 0)
                while start < values.count {
                    let end = min(start + neighbours, values.count)
                    for value in values[start..<end] {
                        counts[Int(UInt64(bitPattern: value &- least) &>> shift & 0xFF)] &+= 1
                    }
                    seen += end - start
                    start += stride
                }
                var own = Double(seen) * logarithm(UInt32(seen))
                for count in counts where count > 0 { own -= Double(count) * logarithm(count) }
                bits += own * Double(values.count) / Double(seen)
            }
            return bits
        }
        return min(packed, bits / 8)
    }

    /// To the base of two, between powers of it along a line: near enough to choose by.
    private static func logarithm(_ count: UInt32) -> Double {
        let exponent = 31 - count.leadingZeroBitCount
        return Double(exponent) + Double(count) / Double(1 << exponent as UInt32) - 1
    }

    private func head(_ tag: Int) -> ByteWriter {
        var writer = ByteWriter()
        writer.append(UInt8(tag))
        for first in firsts { writer.append(signed: first) }
        writer.append(signed: least)
        return writer
    }

    /// One behind the other.
    var bits: [UInt8] {
        var writer = head(1 + order)
        writer.append(UInt8(width))
        writer.append(contentsOf: BitPacking.pack(values, minus: least, width: width))
        return writer.bytes
    }

    /// All first bytes, all second ones and so on.
    var planes: [UInt8] {
        var writer = head(4 + order)
        let size = (width + 7) / 8
        writer.append(UInt8(size))
        let (values, least, count) = (values, least, values.count)
        writer.append(
            contentsOf: [UInt8](unsafeUninitializedCapacity: size * count) { target, initialized in
                values.withUnsafeBufferPointer { values in
                    for plane in 0..<size {
                        let (shift, start) = (UInt64(plane * 8), plane * count)
                        for index in 0..<count {
                            target[start &+ index] = UInt8(
                                truncatingIfNeeded: UInt64(bitPattern: values[index] &- least) &>> shift)
                        }
                    }
                }
                initialized = size * count
            })
        return writer.bytes
    }
}
