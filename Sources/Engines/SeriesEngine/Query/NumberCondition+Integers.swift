import VigilPorts

extension NumberCondition {
    /// A condition put to the integers that decimals are kept as, so that none has to be made a float to be counted.
    ///
    /// An integer divided by a power of ten, and rounded to a float, never falls as the integer rises. So for each power
    /// there is one integer from which on the floats are past the bound; it is found by trying, not by reckoning, and
    /// the count is that of the floats, bit by bit.
    struct OfIntegers: Sendable {
        let condition: NumberCondition
        /// The least integer past the bound for decimals of each number of places; `nil`: none is.
        private let ofDecimals: [Int64?]
        private let ofIntegers: Int64?

        init(_ condition: NumberCondition) {
            self.condition = condition
            let most = Int64(FloatCodec.integerMax)
            ofDecimals = FloatCodec.powers.map { power in
                Self.least(-most...most) { condition.isPast(Double($0) / power) }
            }
            ofIntegers = Self.least(.min ... .max) { condition.isPast(Double($0)) }
        }

        /// For how many of the integers behind `bytes` it holds.
        /// - Parameter places: How many decimal places they have; `nil` of integers that are integers.
        func count(
            _ bytes: ArraySlice<UInt8>, count: Int, places: Int?
        ) throws(ByteReader.Malformed) -> Int {
            let bound = places.map { ofDecimals[$0] } ?? ofIntegers
            let past = if let bound { try IntegerCodec.count(bytes, count: count, atLeast: bound) } else { 0 }
            return switch condition {
            case .above: past
            case .below: count - past
            }
        }

        /// The least integer of a range for which something is true that stays true behind it.
        private static func least(_ range: ClosedRange<Int64>, where isTrue: (Int64) -> Bool) -> Int64? {
            guard isTrue(range.upperBound) else { return nil }
            var (low, high) = (range.lowerBound, range.upperBound)
            while low < high {
                let middle = low &+ Int64(UInt64(bitPattern: high &- low) / 2)
                if isTrue(middle) { high = middle } else { low = middle + 1 }
            }
            return low
        }
    }

    /// Whether a number lies behind the bound, seen from small to great: where `above` begins to hold, and `below` ends.
    private func isPast(_ value: Double) -> Bool {
        switch self {
        case .above: holds(value)
        case .below: !holds(value)
        }
    }
}
