import VigilPorts

/// The bytes of the sketches of a series, behind its buckets.
///
/// | Part | What |
/// |---|---|
/// | byte | 1 |
/// | block of integers | of each bucket 0: unknown; 1: as the aggregate tells; 2 and more: how many bins, and 2 |
/// | block of integers | of each bucket with 2 and more how often its bins were joined |
/// | block of integers | of each bucket with 3 and more the code of its first bin |
/// | block of integers | how far each further bin's code is from the one before |
/// | block of integers | how many numbers are in each bin |
enum SketchCodec {
    private static let tag: UInt8 = 1
    private static let unknown: Int64 = 0
    private static let derived: Int64 = 1
    private static let own: Int64 = 2

    /// Nothing where no sketch is known.
    static func encode(_ buckets: [RollupBucket]) -> [UInt8] {
        if buckets.allSatisfy({ $0.sketch == nil }) { return [] }
        var (forms, levels, firsts): ([Int64], [Int64], [Int64]) = ([], [], [])
        var (gaps, counts): ([Int64], [Int64]) = ([], [])
        for bucket in buckets {
            guard let sketch = bucket.sketch else {
                forms.append(unknown)
                continue
            }
            if sketch == RollupBucket.derived(bucket.known) {
                forms.append(derived)
                continue
            }
            forms.append(own + Int64(sketch.codes.count))
            levels.append(Int64(sketch.level))
            if let first = sketch.codes.first { firsts.append(Int64(first)) }
            gaps += zip(sketch.codes, sketch.codes.dropFirst()).map { Int64($1) - Int64($0) }
            counts += sketch.counts
        }
        var writer = ByteWriter()
        writer.append(tag)
        for part in [forms, levels, firsts, gaps, counts] { writer.append(block: IntegerCodec.encode(part)) }
        return writer.bytes
    }

    /// The sketches that lie behind the aggregates of some buckets; older rollups have none.
    static func decode(
        _ reader: inout ByteReader, _ known: [WindowAggregate]
    ) throws(ByteReader.Malformed) -> [QuantileSketch?] {
        if reader.isAtEnd { return known.map { _ in nil } }
        guard try reader.byte() == tag else { throw ByteReader.Malformed() }
        let forms = try IntegerCodec.decode(try reader.block(), count: known.count)
        guard forms.allSatisfy({ $0 >= 0 && $0 <= own + Int64(QuantileSketch.binsMax) }) else {
            throw ByteReader.Malformed()
        }
        let bins = forms.map { max(0, Int($0 - own)) }
        let total = bins.reduce(0, +)
        let filled = bins.count { $0 > 0 }
        let levels = try IntegerCodec.decode(try reader.block(), count: forms.count { $0 >= own })
        let firsts = try IntegerCodec.decode(try reader.block(), count: filled)
        let gaps = try IntegerCodec.decode(try reader.block(), count: total - filled)
        let counts = try IntegerCodec.decode(try reader.block(), count: total)
        var parts = Parts(levels: levels[...], firsts: firsts[...], gaps: gaps[...], counts: counts[...])
        var result: [QuantileSketch?] = []
        result.reserveCapacity(known.count)
        for (index, known) in known.enumerated() {
            switch forms[index] {
            case unknown: result.append(nil)
            case derived:
                guard let sketch = RollupBucket.derived(known) else { throw ByteReader.Malformed() }
                result.append(sketch)
            default: result.append(try parts.sketch(bins[index], of: known))
            }
        }
        return result
    }

    private struct Parts {
        var levels: ArraySlice<Int64>
        var firsts: ArraySlice<Int64>
        var gaps: ArraySlice<Int64>
        var counts: ArraySlice<Int64>

        mutating func sketch(_ bins: Int, of known: WindowAggregate) throws(ByteReader.Malformed) -> QuantileSketch {
            let level = levels.popFirst() ?? 0
            var codes: [Int32] = []
            var code: Int64 = 0
            for bin in 0..<bins {
                code = bin == 0 ? firsts.popFirst() ?? 0 : code &+ (gaps.popFirst() ?? 0)
                guard let some = Int32(exactly: code) else { throw ByteReader.Malformed() }
                codes.append(some)
            }
            let own = Array(counts.prefix(bins))
            counts = counts.dropFirst(bins)
            var left = Int64(known.count)
            for count in own {
                // What is missing are NaN; more than there are readings cannot be.
                guard count > 0, count <= left else { throw ByteReader.Malformed() }
                left -= count
            }
            guard let level = UInt8(exactly: level),
                let sketch = QuantileSketch(level: level, codes: codes, counts: own)
            else { throw ByteReader.Malformed() }
            return sketch
        }
    }
}
