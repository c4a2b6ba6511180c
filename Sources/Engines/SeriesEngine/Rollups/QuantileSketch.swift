import Foundation

/// How often numbers of each size were met: quantiles come of it within a hundredth of their value.
///
/// The idea is that of DDSketch (Masson, Rim, Lee: "DDSketch", VLDB 2019): a number counts in the bin whose borders are
/// powers of γ = (1 + α) / (1 − α) with α = 0.01, so the middle of the bin is within α of it. Where there would be too
/// many bins, all neighbours become one in pairs, as UDDSketch does (Epicoco and others, 2020), which doubles the error
/// everywhere instead of giving up the small numbers: with 2048 bins that takes numbers of more than 17 decades. Two
/// sketches merged are the sketch of all their numbers, exactly. NaN is not counted.
struct QuantileSketch: Hashable, Sendable {
    /// The error of a quantile, as a share of its value, while no bins were joined.
    static let error = 0.01
    static let binsMax = 2048
    /// So often joined, all floats fit.
    static let levelMax: UInt8 = 7

    /// How often all bins were joined in pairs.
    private(set) var level: UInt8 = 0
    /// What the bins hold, in order of their numbers; the codes are on disk.
    ///
    /// 0 is zero; `key + 40,000` the numbers from γ^(key − 1), not in it, to γ^key; 2²⁰ infinity; below zero the same of
    /// the negative numbers.
    private(set) var codes: [Int32] = []
    private(set) var counts: [Int64] = []

    static let infinityCode: Int32 = 1 << 20
    private static let offset: Int32 = 40_000
    private static let logBase = log((1 + error) / (1 - error))

    /// The sketch of some numbers.
    init(_ numbers: some Sequence<Double>) {
        var all: [Int32] = []
        all.reserveCapacity(numbers.underestimatedCount)
        for number in numbers where !number.isNaN { all.append(Self.code(number)) }
        all.sort()
        for code in all { append(code, 1) }
        shrink()
    }

    /// Takes what was kept of a sketch, when it is one.
    init?(level: UInt8, codes: [Int32], counts: [Int64]) {
        guard level <= Self.levelMax, codes.count == counts.count, codes.count <= Self.binsMax else { return nil }
        guard zip(codes, codes.dropFirst()).allSatisfy({ $0 < $1 }), counts.allSatisfy({ $0 > 0 }) else { return nil }
        guard codes.allSatisfy({ abs(Int64($0)) <= Int64(Self.infinityCode) }) else { return nil }
        (self.level, self.codes, self.counts) = (level, codes, counts)
    }

    /// So many times the same number.
    init(_ number: Double, count: Int) {
        if number.isNaN || count <= 0 { return }
        append(Self.code(number), Int64(count))
    }

    /// How many numbers there are.
    var count: Int64 { counts.reduce(0, &+) }

    private static func code(_ number: Double) -> Int32 {
        if number == 0 { return 0 }
        let size = number.magnitude
        let code = size.isInfinite ? infinityCode : Int32((log(size) / logBase).rounded(.up)) + offset
        return number < 0 ? -code : code
    }

    private static func joined(_ code: Int32) -> Int32 {
        if code == 0 || code.magnitude == infinityCode.magnitude { return code }
        if code < 0 { return -joined(-code) }
        // Half, rounded up, also of what is below zero.
        return (code - offset + 1) >> 1 + offset
    }

    /// The middle of a bin, from which all its numbers are equally far by their size.
    private func number(_ code: Int32) -> Double {
        if code == 0 { return 0 }
        if code < 0 { return -number(-code) }
        if code == Self.infinityCode { return .infinity }
        let base = Self.logBase * Double(Int32(1) << Int32(level))
        let middle = exp(Double(code - Self.offset) * base) * (2 / (exp(base) + 1))
        return min(middle, .greatestFiniteMagnitude)
    }

    private mutating func append(_ code: Int32, _ count: Int64) {
        if codes.last == code {
            counts[counts.count - 1] &+= count
        } else {
            codes.append(code)
            counts.append(count)
        }
    }

    private mutating func shrink() {
        while codes.count > Self.binsMax, level < Self.levelMax { join() }
    }

    private mutating func join() {
        let (codes, counts) = (codes, counts)
        (self.codes, self.counts) = ([], [])
        for (code, count) in zip(codes, counts) { append(Self.joined(code), count) }
        level += 1
    }

    /// Adds the numbers of another sketch.
    mutating func merge(_ other: QuantileSketch) {
        if other.codes.isEmpty, other.level <= level { return }
        var other = other
        while level < other.level { join() }
        while other.level < level { other.join() }
        let (codes, counts) = (codes, counts)
        (self.codes, self.counts) = ([], [])
        var (here, there) = (0, 0)
        while here < codes.count || there < other.codes.count {
            if there == other.codes.count || here < codes.count && codes[here] <= other.codes[there] {
                append(codes[here], counts[here])
                here += 1
            } else {
                append(other.codes[there], other.counts[there])
                there += 1
            }
        }
        shrink()
    }

    /// Takes a number out again; one that is not in it changes nothing.
    mutating func remove(_ number: Double) {
        if number.isNaN { return }
        var code = Self.code(number)
        for _ in 0..<level { code = Self.joined(code) }
        guard let place = codes.firstIndex(of: code) else { return }
        counts[place] -= 1
        if counts[place] == 0 {
            codes.remove(at: place)
            counts.remove(at: place)
        }
    }

    /// The value that a share of the numbers does not exceed, between two neighbours a part of their distance.
    ///
    /// - Parameter bounds: The least and the greatest number, where they are known.
    func quantile(_ share: Double, _ bounds: ClosedRange<Double>?) -> Double {
        let count = count
        guard count > 0 else { return .nan }
        let place = share * Double(count - 1)
        let index = Int64(place.rounded(.down))
        let part = place - Double(index)
        let low = number(at: index, count, bounds)
        if part == 0 { return low }
        return low * (1 - part) + number(at: index + 1, count, bounds) * part
    }

    private func number(at index: Int64, _ count: Int64, _ bounds: ClosedRange<Double>?) -> Double {
        if let bounds {
            if index <= 0 { return bounds.lowerBound }
            if index >= count - 1 { return bounds.upperBound }
        }
        var passed: Int64 = 0
        for (code, count) in zip(codes, counts) {
            passed += count
            guard index < passed else { continue }
            let number = number(code)
            return bounds.map { min(max(number, $0.lowerBound), $0.upperBound) } ?? number
        }
        return codes.last.map(number) ?? .nan
    }
}
