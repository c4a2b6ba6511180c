import VigilModel

extension LineDecoder {
    /// Reads a value, adds its bits to the log, and says of which kind it is.
    @inline(__always)
    mutating func value(
        _ cursor: inout ByteCursor, lineFeed: inout Int, limit: Int
    ) throws(LineFault) -> ReadingValue.Kind {
        guard cursor.position < cursor.end else { throw LineFault(.valueMissing, at: cursor.position) }
        let byte = cursor.byte
        if byte &- Byte.zero < 10 || byte == Byte.minus || byte == Byte.point || byte == Byte.plus {
            return try number(&cursor)
        }
        switch byte {
        case Byte.quote: return try text(&cursor, lineFeed: &lineFeed, limit: limit)
        case Byte.comma, Byte.space: throw LineFault(.valueMissing, at: cursor.position)
        default: return try boolean(&cursor)
        }
    }

    @inline(__always)
    private static func endsValue(_ cursor: ByteCursor) -> Bool {
        cursor.position >= cursor.end || cursor.byte == Byte.comma || cursor.byte == Byte.space
    }

    // MARK: - Numbers

    @inline(__always)
    private mutating func number(_ cursor: inout ByteCursor) throws(LineFault) -> ReadingValue.Kind {
        let start = cursor.position
        let isNegative = cursor.byte == Byte.minus
        if isNegative || cursor.byte == Byte.plus { cursor.position += 1 }
        var mantissa: UInt64 = 0
        let whole = cursor.position
        Self.digits(&cursor, into: &mantissa)
        var digitCount = cursor.position - whole
        var exponent = 0
        if cursor.position < cursor.end, cursor.byte == Byte.point {
            cursor.position += 1
            let fraction = cursor.position
            Self.digits(&cursor, into: &mantissa)
            exponent = fraction - cursor.position
            digitCount -= exponent
        } else if cursor.position < cursor.end, cursor.byte == UInt8(ascii: "i") || cursor.byte == UInt8(ascii: "u") {
            return try integer(&cursor, from: start, digits: whole, isNegative: isNegative)
        }
        guard digitCount > 0 else { throw LineFault(.valueMalformed, at: start) }
        if cursor.position < cursor.end, cursor.byte | 0x20 == UInt8(ascii: "e") {
            exponent += try exponentPart(&cursor, start: start)
        }
        guard Self.endsValue(cursor) else { throw LineFault(.valueMalformed, at: start) }
        // More than 19 digits do not fit the mantissa.
        if digitCount <= 19, let magnitude = DecimalNumber.nearest(mantissa: mantissa, exponent: exponent) {
            log.append(bits: (isNegative ? -magnitude : magnitude).bitPattern)
        } else {
            log.append(bits: try longNumber(cursor, from: start).bitPattern)
        }
        return .float
    }

    @inline(__always)
    private static func digits(_ cursor: inout ByteCursor, into mantissa: inout UInt64) {
        while cursor.position < cursor.end {
            let digit = cursor.byte &- Byte.zero
            guard digit < 10 else { return }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            cursor.position += 1
        }
    }

    @inline(never)
    private func exponentPart(_ cursor: inout ByteCursor, start: Int) throws(LineFault) -> Int {
        cursor.position += 1
        var isNegative = false
        if cursor.position < cursor.end, cursor.byte == Byte.minus || cursor.byte == Byte.plus {
            isNegative = cursor.byte == Byte.minus
            cursor.position += 1
        }
        var exponent = 0
        let digits = cursor.position
        while cursor.position < cursor.end, cursor.byte &- Byte.zero < 10 {
            // Beyond this every number is 0 or too large, and the exact exponent does not matter.
            exponent = min(exponent * 10 + Int(cursor.byte - Byte.zero), 1_000_000)
            cursor.position += 1
        }
        guard cursor.position > digits else { throw LineFault(.valueMalformed, at: start) }
        return isNegative ? -exponent : exponent
    }

    /// Numbers with more digits or larger exponents than the fast way can round exactly.
    @inline(never)
    private func longNumber(_ cursor: ByteCursor, from start: Int) throws(LineFault) -> Double {
        let text = String(decoding: cursor.bytes(from: start, to: cursor.position), as: UTF8.self)
        guard let value = Double(text) else { throw LineFault(.valueMalformed, at: start) }
        guard value.isFinite else { throw LineFault(.numberRange, at: start) }
        return value
    }

    /// Reads an integer again from its first digit, now that its suffix is known.
    @inline(__always)
    private mutating func integer(
        _ cursor: inout ByteCursor, from start: Int, digits: Int, isNegative: Bool
    ) throws(LineFault) -> ReadingValue.Kind {
        let suffix = cursor.position
        let isUnsigned = cursor.byte == UInt8(ascii: "u")
        cursor.position += 1
        guard suffix > digits, Self.endsValue(cursor), !(isUnsigned && isNegative) else {
            throw LineFault(.valueMalformed, at: start)
        }
        var magnitude: UInt64 = 0
        for position in digits..<suffix {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, overflowOfSum) = product.addingReportingOverflow(UInt64(cursor.base[position] - Byte.zero))
            guard !overflow, !overflowOfSum else { throw LineFault(.integerRange, at: start) }
            magnitude = sum
        }
        if isUnsigned {
            guard magnitude <= UInt64(Int64.max) else { throw LineFault(.unsignedRange, at: start) }
        } else {
            guard magnitude <= UInt64(Int64.max) + (isNegative ? 1 : 0) else {
                throw LineFault(.integerRange, at: start)
            }
        }
        log.append(bits: isNegative ? 0 &- magnitude : magnitude)
        return .integer
    }

    // MARK: - Booleans

    @inline(__always)
    private mutating func boolean(_ cursor: inout ByteCursor) throws(LineFault) -> ReadingValue.Kind {
        let start = cursor.position
        while !Self.endsValue(cursor), cursor.position - start < 6 { cursor.position += 1 }
        guard let isTrue = Self.flag(cursor.bytes(from: start, to: cursor.position)) else {
            throw LineFault(.valueMalformed, at: start)
        }
        log.append(bits: isTrue ? 1 : 0)
        return .boolean
    }

    /// What a word says: `t`, `T`, `true`, `True`, `TRUE` and the same of false; `nil` for any other.
    @inline(__always)
    private static func flag(_ word: UnsafeBufferPointer<UInt8>) -> Bool? {
        guard let base = UnsafeRawPointer(word.baseAddress), !word.isEmpty else { return nil }
        guard word.count >= 4 else {
            guard word.count == 1 else { return nil }
            return word[0] | 0x20 == UInt8(ascii: "t") ? true : word[0] | 0x20 == UInt8(ascii: "f") ? false : nil
        }
        let four = UInt32(bigEndian: base.loadUnaligned(as: UInt32.self))
        switch (word.count, four, word[word.count - 1]) {
        case (4, 0x7472_7565, _), (4, 0x5472_7565, _), (4, 0x5452_5545, _): return true
        case (5, 0x6661_6C73, UInt8(ascii: "e")), (5, 0x4661_6C73, UInt8(ascii: "e")),
            (5, 0x4641_4C53, UInt8(ascii: "E")):
            return false
        default: return nil
        }
    }

    // MARK: - Strings

    /// Reads a quoted string.
    ///
    /// A backslash takes the meaning of a quote or a backslash away; a line feed belongs to the string.
    @inline(never)
    private mutating func text(
        _ cursor: inout ByteCursor, lineFeed: inout Int, limit: Int
    ) throws(LineFault) -> ReadingValue.Kind {
        let quote = cursor.position
        cursor.position += 1
        var hasEscapes = false
        while true {
            guard cursor.position < cursor.end else {
                try goOn(&cursor, lineFeed: &lineFeed, limit: limit)
                continue
            }
            let byte = cursor.byte
            if byte == Byte.quote { break }
            if byte == 0 { throw LineFault(.nullByte, at: cursor.position) }
            if byte == Byte.backslash, cursor.position + 1 < cursor.end {
                hasEscapes = true
                cursor.position += 1
            }
            cursor.position += 1
        }
        guard cursor.position - quote - 1 <= limits.textBytes else { throw LineFault(.textLength, at: quote) }
        let bytes = cursor.bytes(from: quote + 1, to: cursor.position)
        guard let text = String(validating: hasEscapes ? Self.unescaped(bytes) : Array(bytes), as: UTF8.self) else {
            throw LineFault(.notUTF8, at: quote)
        }
        cursor.position += 1
        guard Self.endsValue(cursor) else { throw LineFault(.valueMalformed, at: cursor.position) }
        log.append(text: text)
        return .text
    }

    /// Moves the line's end behind the line feed that a string holds.
    private mutating func goOn(
        _ cursor: inout ByteCursor, lineFeed: inout Int, limit: Int
    ) throws(LineFault) {
        guard let next = ByteCursor.find(Byte.newline, in: cursor.base, from: lineFeed + 1, to: limit) else {
            throw .incomplete
        }
        // The carriage return before this line feed belongs to the string as well.
        cursor.end = Self.contentEnd(cursor.base, lineFeed + 1, next)
        cursor.position = lineFeed + 1
        lineFeed = next
        countLineFeed()
    }

    private static func unescaped(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            if bytes[position] == Byte.backslash, position + 1 < bytes.count,
                bytes[position + 1] == Byte.quote || bytes[position + 1] == Byte.backslash
            {
                position += 1
            }
            plain.append(bytes[position])
            position += 1
        }
        return plain
    }
}
