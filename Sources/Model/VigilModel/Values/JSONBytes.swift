/// Writes JSON to bytes.
///
/// For answers and messages of many small values, where an encoder takes ten times as long.
package struct JSONBytes: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    /// Adds what is JSON already.
    package mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ more: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: more) }

    package mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

    package mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Adds what was written before once more.
    package mutating func again(_ range: Range<Int>) {
        precondition(range.upperBound <= bytes.count, "BUG: more is copied than was written")
        let end = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: range.count))
        bytes.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            (start + end).copyMemory(from: start + range.lowerBound, byteCount: range.count)
        }
    }

    package mutating func text(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            // Hardly any text needs an escape.
            if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: utf8)
            } else {
                escape(utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ utf8: UnsafeBufferPointer<UInt8>) {
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x08: raw("\\b")
            case 0x09: raw("\\t")
            case 0x0A: raw("\\n")
            case 0x0C: raw("\\f")
            case 0x0D: raw("\\r")
            case 0..<0x20:
                raw("\\u00")
                for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 48 + digit : 87 + digit) }
            default: bytes.append(byte)
            }
        }
    }

    package mutating func list<Item>(_ items: some Sequence<Item>, _ write: (inout JSONBytes, Item) -> Void) {
        raw("[")
        var isFirst = true
        for item in items {
            if !isFirst { raw(",") }
            isFirst = false
            write(&self, item)
        }
        raw("]")
    }

    // MARK: - Numbers

    package mutating func integer(_ number: Int64) {
        if number < 0 { raw("-") }
        digits(number.magnitude)
    }

    /// A natural number, with zeros before it up to `count` digits.
    package mutating func digits(_ number: UInt64, atLeast count: Int = 1) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var (rest, place) = (number, 20)
            repeat {
                place -= 1
                buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0 || 20 - place < count
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[place...]))
        }
    }

    /// The shortest text that reads back as the same finite number; `false`, with nothing written, where that has an
    /// exponent or many places.
    package mutating func shortDecimal(_ value: Double) -> Bool {
        guard let scaled = Self.millionths(value) else { return false }
        if value < 0 { raw("-") }
        var (whole, rest) = scaled.quotientAndRemainder(dividingBy: 1_000_000)
        digits(whole)
        guard rest != 0 else { return true }
        raw(".")
        var count = 6
        while rest % 10 == 0 {
            rest /= 10
            count -= 1
        }
        whole = rest
        digits(whole, atLeast: count)
        return true
    }

    /// The size of a decimal of at most six places in millionths; `nil` for other numbers.
    static func millionths(_ value: Double) -> UInt64? {
        let magnitude = value.magnitude
        // −0 has its sign; up to fifteen digits, no two decimals are the same number.
        guard magnitude < 1e9, value != 0 || value.sign == .plus else { return nil }
        let scaled = (magnitude * 1e6).rounded()
        guard scaled / 1e6 == magnitude, magnitude == 0 || magnitude >= 1e-4 else { return nil }
        return UInt64(scaled)
    }

    // MARK: - Values

    /// What JSON cannot write as a number is a text, as in the Prometheus API.
    package mutating func value(_ value: ReadingValue) {
        switch value {
        case .float(let number):
            if shortDecimal(number) { return }
            if number.isFinite {
                let text = number.description
                raw(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
            } else {
                text(number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf")
            }
        case .integer(let number): integer(number)
        case .boolean(let flag): raw(flag ? "true" : "false")
        case .text(let text): self.text(text)
        // An object was checked to be JSON when it came.
        case .object(let json): raw(json)
        }
    }

    package mutating func json(_ value: JSONValue) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): self.value(.boolean(flag))
        case .integer(let number): integer(number)
        case .number(let number): self.value(.float(number))
        case .string(let text): self.text(text)
        case .array, .object: raw(value.canonicalText)
        }
    }

    /// Finite values as ``JSONValue/canonicalText`` has them.
    mutating func canonical(_ value: JSONValue) {
        switch value {
        case .array(let elements): list(elements) { $0.canonical($1) }
        case .object(let members):
            raw("{")
            var isFirst = true
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                if !isFirst { raw(",") }
                isFirst = false
                text(name)
                raw(":")
                canonical(member)
            }
            raw("}")
        default: json(value)
        }
    }

    /// A time in the form of ``Timestamp/description``.
    package mutating func time(_ time: Timestamp) {
        raw("\"")
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.textBytesMax) { buffer in
            let count = time.write(to: buffer)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
        }
        raw("\"")
    }
}
