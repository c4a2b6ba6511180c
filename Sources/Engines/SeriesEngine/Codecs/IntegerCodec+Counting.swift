extension IntegerCodec {
    /// How many of `count` encoded numbers are at least `bound`, without writing them out where that can be.
    static func count(
        _ bytes: ArraySlice<UInt8>, count: Int, atLeast bound: Int64
    ) throws(ByteReader.Malformed) -> Int {
        guard count > 0 else { return 0 }
        var (tag, reader) = try open(bytes, count: count)
        switch tag {
        case 0: return try reader.signed() >= bound ? count : 0
        case runsTag: return try IntegerRuns(&reader, count: count).count(atLeast: bound)
        default:
            if let sums = try packedSums(tag, reader, count: count) {
                return sums.bits.withUnsafeBytes {
                    BitPacking.countSums(
                        $0, width: sums.width, adding: sums.least, from: sums.first, count: count, atLeast: bound)
                }
            }
        }
        return try decoded(tag, reader, count: count).withUnsafeBufferPointer { values in
            var found = 0
            for value in values { found &+= value >= bound ? 1 : 0 }
            return found
        }
    }
}
