/// Name and value pairs as queries and HTML forms write them: `application/x-www-form-urlencoded`.
package enum FormItems {
    package typealias Item = (name: String, value: String)

    /// The decoded pairs in order; `nil` for a broken percent escape, text that is not UTF-8, or U+0000.
    package static func parse(_ text: some StringProtocol) -> [Item]? {
        if let items = text.utf8.withContiguousStorageIfAvailable({ parse($0) }) { return items }
        return Array(text.utf8).withUnsafeBufferPointer { parse($0) }
    }

    /// The pairs of a body.
    package static func parse(_ bytes: [UInt8]) -> [Item]? {
        String(validating: bytes, as: UTF8.self).flatMap { parse($0) }
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> [Item]? {
        var items: [Item] = []
        for part in text.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            guard let name = decode(part[..<(equals ?? part.endIndex)]),
                let value = equals.map({ decode(part[($0 + 1)...]) }) ?? ""
            else { return nil }
            items.append((name, value))
        }
        return items
    }

    private static func decode(_ part: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
        var (isBroken, isASCII) = (false, true)
        let text = String(unsafeUninitializedCapacity: part.count) { buffer in
            var count = 0
            isBroken = !eachByte(of: part) { byte in
                isASCII = isASCII && byte > 0 && byte < 0x80
                buffer[count] = byte
                count += 1
            }
            return isASCII && !isBroken ? count : 0
        }
        if isBroken { return nil }
        return isASCII ? text : decodeUnicode(part)
    }

    private static func decodeUnicode(_ part: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(part.count)
        guard eachByte(of: part, { bytes.append($0) }), !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Shows the bytes that a part stands for; `false` where an escape is broken.
    private static func eachByte(of part: Slice<UnsafeBufferPointer<UInt8>>, _ body: (UInt8) -> Void) -> Bool {
        var place = part.startIndex
        while place < part.endIndex {
            let byte = part[place]
            place += 1
            switch byte {
            case UInt8(ascii: "+"): body(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard place + 2 <= part.endIndex, let high = digit(part[place]), let low = digit(part[place + 1]) else {
                    return false
                }
                body(high << 4 | low)
                place += 2
            default: body(byte)
            }
        }
        return true
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
