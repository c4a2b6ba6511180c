extension JSONReader {
    /// Powers of ten that a Double holds exactly.
    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    package mutating func number() throws(Fault) -> JSONValue {
        let start = position
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let firstDigit = position
        var (mantissa, digits, decimals, isInteger): (UInt64, Int, Int, Bool) = (0, 0, 0, true)
        digits += takeDigits(into: &mantissa)
        guard digits > 0 else { throw Fault("this is no JSON value", at: start) }
        guard digits == 1 || bytes[firstDigit] != UInt8(ascii: "0") else {
            throw Fault("a number must not begin with 0", at: firstDigit)
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            isInteger = false
            decimals = takeDigits(into: &mantissa)
            guard decimals > 0 else { throw Fault("digits are expected", at: position) }
            digits += decimals
        }
        let hasExponent = try takeExponent()
        // 15 digits are exact in a Double, and so is the quotient with an exact power of ten.
        if !hasExponent, digits <= 15 {
            if isInteger { return .integer(isNegative ? -Int64(mantissa) : Int64(mantissa)) }
            let magnitude = Double(mantissa) / Self.powers[decimals]
            return .number(isNegative ? -magnitude : magnitude)
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, !hasExponent, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw Fault("the number is too large", at: start) }
        return .number(value)
    }

    private mutating func takeDigits(into mantissa: inout UInt64) -> Int {
        let start = position
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            position += 1
        }
        return position - start
    }

    private mutating func takeExponent() throws(Fault) -> Bool {
        guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") else { return false }
        position += 1
        if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
            position += 1
        }
        var ignored: UInt64 = 0
        guard takeDigits(into: &ignored) > 0 else { throw Fault("digits are expected", at: position) }
        return true
    }
}
