import VigilPorts

/// Writes values in the text forms of PostgreSQL's arrays and of COPY.
enum WireArray {
    /// `{"a",NULL,"b"}`.
    static func literal(_ values: [SQLValue]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for value in values { append(value, to: &bytes) }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One column of rows as an array.
    static func literal(_ rows: ArraySlice<[SQLValue]>, column: Int) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rows.count * 40)
        bytes.append(UInt8(ascii: "{"))
        for row in rows { append(row[column], to: &bytes) }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ value: SQLValue, to bytes: inout [UInt8]) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        switch value {
        case .null: append("NULL", to: &bytes)
        case .integer(let number): append(String(number), to: &bytes)
        case .real(let number): append(WireParameters.text(number), to: &bytes)
        case .boolean(let flag): bytes.append(UInt8(ascii: flag ? "t" : "f"))
        case .text(let text): quote(text, into: &bytes)
        case .bytes(let value):
            append(#""\\x"#, to: &bytes)
            hexadecimal(value, into: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    private static func quote(_ text: String, into bytes: inout [UInt8]) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { buffer in
            guard buffer.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else {
                return bytes.append(contentsOf: buffer)
            }
            for byte in buffer {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    static func hexadecimal(_ value: [UInt8], into bytes: inout [UInt8]) {
        func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + 48 : nibble + 87 }
        for byte in value {
            bytes.append(digit(byte >> 4))
            bytes.append(digit(byte & 15))
        }
    }

    /// Appends one line of COPY's text form.
    static func copyLine(_ row: [SQLValue], into bytes: inout [UInt8]) throws(StoreError) {
        for (index, value) in row.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            switch value {
            case .null: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
            case .integer(let number): bytes += String(number).utf8
            case .real(let number): bytes += WireParameters.text(number).utf8
            case .boolean(let flag): bytes.append(UInt8(ascii: flag ? "t" : "f"))
            case .text(let text): try escape(text.utf8, into: &bytes)
            case .bytes(let value):
                bytes += #"\\x"#.utf8
                hexadecimal(value, into: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func escape(_ text: String.UTF8View, into bytes: inout [UInt8]) throws(StoreError) {
        for byte in text {
            switch byte {
            case 0: throw StoreError(.invalid, "A text holds U+0000")
            case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
            case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
            case UInt8(ascii: "\r"): bytes += #"\r"#.utf8
            case UInt8(ascii: "\t"): bytes += #"\t"#.utf8
            default: bytes.append(byte)
            }
        }
    }
}
