import VigilModel

extension LineDecoder {
    /// Reads one line from its first character that is not a space, and adds it to the log.
    ///
    /// `lineFeed` is the first line feed of the line, and a string may go on behind it up to `limit`, the end of the bytes
    /// at hand. The result is where the next line begins.
    @inline(__always)
    mutating func parseLine(
        _ cursor: inout ByteCursor, lineFeed: Int, limit: Int
    ) throws(LineFault) -> Int {
        var lineFeed = lineFeed
        let keyStart = cursor.position
        cursor.skipKey()
        let keyEnd = cursor.position
        guard keyEnd - keyStart <= limits.keyBytes else { throw LineFault(.keyLength, at: keyStart) }
        guard cursor.base[keyStart] != Byte.comma else { throw LineFault(.measurementMissing, at: keyStart) }
        cursor.skipSpaces()
        guard !cursor.isAtEnd else { throw LineFault(.fieldsMissing, at: cursor.position) }
        let firstValue = log.mark.values
        var shape: Int32 = 0
        var fieldCount = 0
        while true {
            guard fieldCount < limits.fields else { throw LineFault(.fieldCount, at: cursor.position) }
            let start = cursor.position
            let name = try fieldName(&cursor, after: shape)
            let kind = try value(&cursor, lineFeed: &lineFeed, limit: limit)
            guard let next = shapes.child(of: shape, name: name, kind: kind) else {
                throw LineFault(.fieldDuplicate, at: start)
            }
            shape = next
            fieldCount += 1
            guard cursor.position < cursor.end, cursor.byte == Byte.comma else { break }
            cursor.position += 1
        }
        let time = try timestamp(&cursor)
        let slot = try keys.slot(cursor, from: keyStart, to: keyEnd)
        log.endLine(slot: slot, shape: shape, firstValue: firstValue, time: time)
        return lineFeed + 1
    }

    /// Reads a field's name and its equals sign.
    @inline(__always)
    private mutating func fieldName(_ cursor: inout ByteCursor, after shape: Int32) throws(LineFault) -> Int32 {
        let expected = shapes.expectedName(after: shape)
        if expected >= 0, shapes.isNext(expected, at: cursor) {
            cursor.position += shapes.byteCount(of: expected) + 1
            return expected
        }
        return try unexpectedFieldName(&cursor)
    }

    @inline(never)
    private mutating func unexpectedFieldName(_ cursor: inout ByteCursor) throws(LineFault) -> Int32 {
        let start = cursor.position
        scan: while cursor.position < cursor.end {
            switch cursor.byte {
            case Byte.equals: break scan
            case Byte.comma, Byte.space: throw LineFault(.fieldMalformed, at: cursor.position)
            case Byte.backslash: cursor.position += FieldName.isEscape(cursor) ? 2 : 1
            default: cursor.position += 1
            }
        }
        guard cursor.position < cursor.end, cursor.position > start else { throw LineFault(.fieldMalformed, at: start) }
        guard cursor.position - start <= limits.fieldNameBytes else { throw LineFault(.fieldNameLength, at: start) }
        switch shapes.name(cursor.bytes(from: start, to: cursor.position)) {
        case .failure(let reason): throw LineFault(reason, at: start)
        case .success(let name):
            cursor.position += 1
            return name
        }
    }

    /// Reads what follows the last field: nothing, or spaces and a timestamp.
    @inline(__always)
    private mutating func timestamp(_ cursor: inout ByteCursor) throws(LineFault) -> Int64 {
        cursor.skipSpaces()
        let start = cursor.position
        if cursor.isAtEnd { return try checked(arrival.microseconds, at: start) }
        let isNegative = cursor.byte == Byte.minus
        if isNegative || cursor.byte == Byte.plus { cursor.position += 1 }
        let digits = cursor.position
        var magnitude: UInt64 = 0
        var overflow = false
        while cursor.position < cursor.end {
            let digit = cursor.byte &- Byte.zero
            guard digit < 10 else { break }
            // 18 digits always fit; the further ones are checked one by one.
            if cursor.position - digits < 18 {
                magnitude = magnitude &* 10 &+ UInt64(digit)
            } else {
                let (product, over) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, overSum) = product.addingReportingOverflow(UInt64(digit))
                magnitude = sum
                overflow = overflow || over || overSum
            }
            cursor.position += 1
        }
        guard cursor.position > digits else { throw LineFault(.timeMalformed, at: start) }
        let end = cursor.position
        cursor.skipSpaces()
        guard cursor.isAtEnd else { throw LineFault(.timeMalformed, at: end) }
        guard !overflow, magnitude <= UInt64(Int64.max) else { throw LineFault(.timeRange, at: start) }
        return try microseconds(isNegative ? -Int64(magnitude) : Int64(magnitude), at: start)
    }

    @inline(__always)
    private mutating func microseconds(_ time: Int64, at position: Int) throws(LineFault) -> Int64 {
        if precision == .nanoseconds {
            let whole = Timestamp(nanoseconds: time).microseconds
            if whole &* 1000 != time { truncatedTimeCount += 1 }
            return try checked(whole, at: position)
        }
        let (whole, overflow) = time.multipliedReportingOverflow(by: precision.microseconds)
        guard !overflow else { throw LineFault(.timeRange, at: position) }
        return try checked(whole, at: position)
    }

    @inline(__always)
    private func checked(_ time: Int64, at position: Int) throws(LineFault) -> Int64 {
        guard accepted.contains(time) else { throw LineFault(.timeRange, at: position) }
        return time
    }
}
