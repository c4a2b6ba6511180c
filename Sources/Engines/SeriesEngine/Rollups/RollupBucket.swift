import VigilPorts

/// A bucket that outlives its readings: what is known of them, and how their sizes are spread.
struct RollupBucket: Hashable, Sendable {
    var known = WindowAggregate()
    /// `nil` where nobody knows: the readings went before sketches were kept.
    var sketch: QuantileSketch?
    /// Whether the least and the greatest are those of the numbers, not of some more.
    var isBounded = true

    var count: Int { known.count }
    var firstTime: Int64 { known.firstTime }
    var lastTime: Int64 { known.lastTime }

    /// This with numbers of the same bucket that may lie before, behind or among these.
    func joined(_ other: RollupBucket) -> RollupBucket {
        if other.count == 0 { return self }
        if count == 0 { return other }
        var sketch = sketch
        if let more = other.sketch { sketch?.merge(more) } else { sketch = nil }
        return RollupBucket(
            known: known.joined(other.known), sketch: sketch, isBounded: isBounded && other.isBounded)
    }

    /// The sketch that the aggregate alone tells: of one or two numbers, and where all are equal.
    static func derived(_ known: WindowAggregate) -> QuantileSketch? {
        switch known.count {
        case 1: QuantileSketch([known.first])
        case 2: QuantileSketch([known.first, known.last])
        // With a NaN among the numbers the sum is NaN, and how many there are is not known.
        default:
            known.minimum == known.maximum && !known.sum.isNaN
                ? QuantileSketch(known.minimum, count: known.count) : nil
        }
    }
}

extension Rollup {
    /// The buckets of samples in order of time that are about to go.
    static func kept(_ numbers: NumberColumn, _ resolution: RollupResolution) -> [RollupBucket] {
        var place = 0
        return buckets(numbers, resolution).map { known in
            while place < numbers.times.count, numbers.times[place] < known.firstTime { place += 1 }
            let start = place
            while place < numbers.times.count, numbers.times[place] <= known.lastTime { place += 1 }
            return RollupBucket(known: known, sketch: QuantileSketch(numbers.values[start..<place]))
        }
    }
}

extension WindowGrid {
    /// What of a kept bucket that fits belongs to each window; `nil` when it does not say what is left of it.
    func parts(of bucket: RollupBucket, _ needs: WindowNeeds) -> [RollupBucket]? {
        let known = bucket.known
        return parts(of: known, needs)?.map { part in
            if part.count == known.count { return bucket }
            if part.firstTime == known.firstTime {
                return RollupBucket(known: part, sketch: bucket.sketch.map { _ in QuantileSketch([known.first]) })
            }
            var sketch = bucket.sketch
            sketch?.remove(known.first)
            let isInside = known.minimum < known.first && known.first < known.maximum
            return RollupBucket(known: part, sketch: sketch, isBounded: bucket.isBounded && isInside)
        }
    }
}

/// What is known of the numbers of one window that went, as far as quantiles go.
struct KeptNumbers {
    private var bucket = RollupBucket()

    mutating func add(_ other: RollupBucket) { bucket = bucket.joined(other) }

    /// The quantiles of these numbers and of others whose readings are there; NaN where nothing is known.
    func quantiles(_ shares: [Double], with numbers: [Double]) -> [Double] {
        guard var sketch = bucket.sketch else { return shares.map { _ in .nan } }
        var (least, greatest) = (bucket.known.minimum, bucket.known.maximum)
        if !numbers.isEmpty {
            sketch.merge(QuantileSketch(numbers))
            for number in numbers {
                if !(least <= number) { least = number }
                if !(greatest >= number) { greatest = number }
            }
        }
        let bounds = bucket.isBounded && least <= greatest ? least...greatest : nil
        return shares.map { sketch.quantile($0, bounds) }
    }
}
