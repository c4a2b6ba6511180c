/// Reads JSON from bytes without a detour over Foundation, because readings come by the ten thousand a second, and rows with
/// JSON by the thousand.
///
/// RFC 8259, UTF-8, at most ``depthMax`` levels. An integer that fits is `.integer`; of members with one name the last
/// wins. `position` is where it stands, so a caller can keep the bytes of what it has read.
package struct JSONReader {
    /// Why the bytes are no JSON, and where.
    package struct Fault: Error {
        package let position: Int
        package let reason: String

        package init(_ reason: StaticString, at position: Int) {
            self.position = position
            self.reason = reason.description
        }
    }

    package static let depthMax = 64

    package let bytes: UnsafeBufferPointer<UInt8>
    package var position = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    // MARK: - Structure

    /// The next byte that is no blank, not taken.
    package mutating func peek() throws(Fault) -> UInt8 {
        skipBlanks()
        guard position < bytes.count else { throw Fault("the text ends too early", at: position) }
        return bytes[position]
    }

    package mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// Takes `byte` if it comes next.
    package mutating func take(_ byte: UInt8) throws(Fault) -> Bool {
        guard try peek() == byte else { return false }
        position += 1
        return true
    }

    package mutating func expect(_ byte: UInt8, _ reason: StaticString) throws(Fault) {
        guard try take(byte) else { throw Fault(reason, at: position) }
    }

    /// Hands each member's name to `member`, which must read the value.
    package mutating func object(_ member: (inout JSONReader, String) throws(Fault) -> Void) throws(Fault) {
        try expect(UInt8(ascii: "{"), "an object is expected")
        if try take(UInt8(ascii: "}")) { return }
        while true {
            let name = try string()
            try expect(UInt8(ascii: ":"), "a colon is expected")
            try member(&self, name)
            if try take(UInt8(ascii: "}")) { return }
            try expect(UInt8(ascii: ","), "a comma or the end of the object is expected")
        }
    }

    /// Calls `element` for each element, which must read it.
    package mutating func array(_ element: (inout JSONReader) throws(Fault) -> Void) throws(Fault) {
        try expect(UInt8(ascii: "["), "a list is expected")
        if try take(UInt8(ascii: "]")) { return }
        while true {
            try element(&self)
            if try take(UInt8(ascii: "]")) { return }
            try expect(UInt8(ascii: ","), "a comma or the end of the list is expected")
        }
    }

    // MARK: - Values

    package mutating func value(depth: Int = 0) throws(Fault) -> JSONValue {
        guard depth < Self.depthMax else { throw Fault("too many levels", at: position) }
        switch try peek() {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"):
            // Growing step by step costs more than the room.
            var members = [String: JSONValue](minimumCapacity: 6)
            try object { (reader: inout JSONReader, name: String) throws(Fault) in
                members[name] = try reader.value(depth: depth + 1)
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try array { (reader: inout JSONReader) throws(Fault) in
                elements.append(try reader.value(depth: depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString) throws(Fault) {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw Fault("the text ends too early", at: position) }
        for index in 0..<count where bytes[position + index] != word.utf8Start[index] {
            throw Fault("this is no JSON value", at: position)
        }
        position += count
    }

    package mutating func string() throws(Fault) -> String {
        guard try peek() == UInt8(ascii: "\"") else { throw Fault("a text in quotes is expected", at: position) }
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = String(validating: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
                guard let text else { throw Fault("the text is not UTF-8", at: start) }
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw Fault("a control character must be escaped", at: position)
            default: position += 1
            }
        }
        throw Fault("the text has no closing quote", at: start)
    }

    private mutating func escapedString(from start: Int) throws(Fault) -> String {
        var buffer = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: buffer, as: UTF8.self) else {
                    throw Fault("the text is not UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &buffer)
            case 0..<0x20: throw Fault("a control character must be escaped", at: position - 1)
            default: buffer.append(byte)
            }
        }
        throw Fault("the text has no closing quote", at: start)
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(Fault) {
        guard position < bytes.count else { throw Fault("the text ends too early", at: position) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw Fault("half a surrogate pair", at: position) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw Fault("half a surrogate pair", at: position) }
            guard code != 0 else { throw Fault("the character U+0000 cannot be stored", at: position) }
            buffer.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw Fault("an unknown escape", at: position - 1)
        }
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        guard position + 4 <= bytes.count else { throw Fault("the text ends too early", at: position) }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw Fault("four hexadecimal digits are expected", at: position)
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
