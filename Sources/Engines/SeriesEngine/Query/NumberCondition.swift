import VigilPorts

/// What a number is asked: whether it lies above or below another.
package enum NumberCondition: Sendable, Hashable {
    case above(Double)
    case below(Double)

    @inline(__always)
    func holds(_ value: Double) -> Bool {
        switch self {
        case .above(let bound): value > bound
        case .below(let bound): value < bound
        }
    }

    /// For how many of the numbers it holds, when that is known without looking at them.
    func count(in known: WindowAggregate) -> Int? {
        // NaN, for which nothing holds, shows in the sum only.
        if known.sum.isNaN { return nil }
        if holds(known.minimum), holds(known.maximum) { return known.count }
        return switch self {
        case .above(let bound): known.maximum > bound ? nil : 0
        case .below(let bound): known.minimum < bound ? nil : 0
        }
    }

    func count(_ values: ArraySlice<Double>) -> Int {
        values.withUnsafeBufferPointer { values in
            switch self {
            case .above(let bound):
                Self.count(values) {
                    $0 .> SIMD8(repeating: bound)
                } one: {
                    $0 > bound
                }
            case .below(let bound):
                Self.count(values) {
                    $0 .< SIMD8(repeating: bound)
                } one: {
                    $0 < bound
                }
            }
        }
    }

    /// Eight at once: each lane counts for itself.
    @inline(__always)
    private static func count(
        _ values: UnsafeBufferPointer<Double>, _ eight: (SIMD8<Double>) -> SIMDMask<SIMD8<Int64>>,
        one: (Double) -> Bool
    ) -> Int {
        guard let base = values.baseAddress else { return 0 }
        var lanes = SIMD8<Int64>.zero
        var index = 0
        while index &+ 8 <= values.count {
            let next = UnsafeRawPointer(base + index).loadUnaligned(as: SIMD8<Double>.self)
            lanes &+= SIMD8<Int64>.zero.replacing(with: 1, where: eight(next))
            index &+= 8
        }
        var count = Int(lanes.wrappedSum())
        while index < values.count {
            if one(values[index]) { count &+= 1 }
            index &+= 1
        }
        return count
    }
}
