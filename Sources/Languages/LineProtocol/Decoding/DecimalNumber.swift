/// Turns the digits of a decimal number into the nearest 64-bit float, exactly.
///
/// The value is `mantissa × 10^exponent`. Up to 2^53 and 10^±22 both factors are floats, and one operation rounds once. Up
/// to 19 digits and 10^±27 the power of five fits one word, so that a 128-bit product, or a quotient with its remainder,
/// is exact, and is then rounded half to even. Everything else is left to the standard library.
enum DecimalNumber {
    /// The nearest float, or `nil` when the number is outside what is computed here.
    @inline(__always)
    static func nearest(mantissa: UInt64, exponent: Int) -> Double? {
        if mantissa < 1 << 53 {
            if exponent == 0 { return Double(mantissa) }
            if exponent < 0, exponent >= -22 { return Double(mantissa) / powersOfTen[-exponent] }
            if exponent > 0, exponent <= 22 { return Double(mantissa) * powersOfTen[exponent] }
        }
        if mantissa == 0 { return 0 }
        return wide(mantissa: mantissa, exponent: exponent)
    }

    @inline(never)
    private static func wide(mantissa: UInt64, exponent: Int) -> Double? {
        guard exponent >= -27, exponent <= 27 else { return nil }
        let shift = mantissa.leadingZeroBitCount
        let normal = mantissa << UInt64(shift)
        if exponent >= 0 {
            let (high, low) = normal.multipliedFullWidth(by: powersOfFive[exponent])
            return rounded(high: high, low: low, binaryExponent: exponent - shift)
        }
        let power = powersOfFive[-exponent]
        let divisorShift = power.leadingZeroBitCount
        let divisor = power << UInt64(divisorShift)
        // Halved, so that the quotient fits one word; it has at least 62 significant bits.
        let (quotient, remainder) = divisor.dividingFullWidth((normal >> 1, (normal & 1) << 63))
        // value = quotient × 2^-63 × 2^(divisorShift - shift) × 2^exponent, and quotient is the high word.
        return rounded(
            high: quotient, low: remainder == 0 ? 0 : 1, binaryExponent: exponent - shift + divisorShift - 63 - 64)
    }

    /// Rounds `(high × 2^64 + low) × 2^binaryExponent` half to even.
    ///
    /// Only the fact that `low` is not zero matters below the
    /// bits that are kept.
    private static func rounded(high: UInt64, low: UInt64, binaryExponent: Int) -> Double {
        var high = high
        var low = low
        var exponent = binaryExponent
        if high == 0 {
            high = low
            low = 0
            exponent -= 64
        }
        let shift = high.leadingZeroBitCount
        if shift > 0 {
            high = high << UInt64(shift) | low >> UInt64(64 - shift)
            low <<= UInt64(shift)
            exponent -= shift
        }
        // 53 bits are kept; 11 of this word and the whole of the next are rounded away.
        var significand = high >> 11
        let rest = high & 0x7FF
        if rest > 0x400 || (rest == 0x400 && (low != 0 || significand & 1 == 1)) { significand += 1 }
        // value = significand × 2^(exponent + 75), always a normal number. A significand that was rounded up to 2^53
        // carries into the exponent by itself.
        return Double(bitPattern: UInt64(exponent + 75 + 52 + 1023) << 52 &+ (significand &- (1 << 52)))
    }

    private static let powersOfTen: [Double] = (0...22).map { power in
        (0..<power).reduce(1.0) { product, _ in product * 10 }
    }

    private static let powersOfFive: [UInt64] = (0...27).map { power in
        (0..<power).reduce(1) { product, _ in product * 5 }
    }
}
