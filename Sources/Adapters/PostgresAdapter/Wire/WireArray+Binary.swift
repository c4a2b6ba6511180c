import Foundation
import VigilPorts

/// One column of a batch in the binary form of PostgreSQL's arrays, which the server need not parse.
struct BinaryArray {
    let bytes: [UInt8]
    /// The array's type.
    let type: UInt32

    /// What the elements of a column are.
    private enum Element {
        case bigint, double, boolean, text, uuid, jsonb, bytes

        init?(_ name: String) {
            switch name {
            case "bigint": self = .bigint
            case "double precision": self = .double
            case "boolean": self = .boolean
            case "text": self = .text
            case "uuid": self = .uuid
            case "jsonb": self = .jsonb
            case "bytea": self = .bytes
            default: return nil
            }
        }

        /// Its type, and that of an array of it.
        var types: (element: UInt32, array: UInt32) {
            switch self {
            case .bigint: (PostgresType.int8, 1016)
            case .double: (PostgresType.float8, 1022)
            case .boolean: (PostgresType.bool, 1000)
            case .text: (PostgresType.text, 1009)
            case .uuid: (PostgresType.uuid, 2951)
            case .jsonb: (PostgresType.jsonb, 3807)
            case .bytes: (PostgresType.bytea, 1001)
            }
        }
    }

    /// - Returns: `nil` for a type that has no binary form here, and where a value is not of the column's kind: the text
    ///   form then says what is wrong with it.
    init?(_ rows: ArraySlice<[SQLValue]>, column: Int, type name: String) {
        guard let element = Element(name) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24 + rows.count * (element == .text ? 40 : element == .jsonb ? 80 : 20))
        var hasNull = false
        for number in [1, 0, Int32(bitPattern: element.types.element), Int32(rows.count), 1] as [Int32] {
            Self.append(number, to: &bytes)
        }
        for row in rows {
            if case .null = row[column] {
                hasNull = true
                Self.append(Int32(-1), to: &bytes)
            } else if !Self.append(row[column], as: element, to: &bytes) {
                return nil
            }
        }
        if hasNull { bytes[7] = 1 }
        self.bytes = bytes
        type = element.types.array
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// - Returns: Whether the value is of the element's kind.
    private static func append(_ value: SQLValue, as element: Element, to bytes: inout [UInt8]) -> Bool {
        switch (element, value) {
        case (.bigint, .integer(let number)):
            append(Int32(8), to: &bytes)
            append(number, to: &bytes)
        case (.double, .real(let number)):
            append(Int32(8), to: &bytes)
            append(number.bitPattern, to: &bytes)
        case (.double, .integer(let number)):
            append(Int32(8), to: &bytes)
            append(Double(number).bitPattern, to: &bytes)
        case (.boolean, .boolean(let flag)):
            append(Int32(1), to: &bytes)
            bytes.append(flag ? 1 : 0)
        case (.bytes, .bytes(let value)):
            append(Int32(value.count), to: &bytes)
            bytes.append(contentsOf: value)
        case (.text, .text(let text)): return append(text, version: nil, to: &bytes)
        case (.jsonb, .text(let text)): return append(text, version: 1, to: &bytes)
        case (.uuid, .text(let text)): return appendUUID(text, to: &bytes)
        default: return false
        }
        return true
    }

    private static func append(_ text: String, version: UInt8?, to bytes: inout [UInt8]) -> Bool {
        var text = text
        return text.withUTF8 { buffer in
            // The text form refuses it with words of its own.
            if let base = buffer.baseAddress, memchr(base, 0, buffer.count) != nil { return false }
            append(Int32(buffer.count + (version == nil ? 0 : 1)), to: &bytes)
            if let version { bytes.append(version) }
            bytes.append(contentsOf: buffer)
            return true
        }
    }

    /// `00000000-0000-0000-0000-000000000000`, as we write it.
    private static func appendUUID(_ text: String, to bytes: inout [UInt8]) -> Bool {
        var text = text
        return text.withUTF8 { buffer in
            guard buffer.count == 36 else { return false }
            append(Int32(16), to: &bytes)
            var high: UInt8?
            for (index, byte) in buffer.enumerated() {
                if index == 8 || index == 13 || index == 18 || index == 23 {
                    guard byte == UInt8(ascii: "-") else { return false }
                    continue
                }
                guard let digit = digit(byte) else { return false }
                if let first = high {
                    bytes.append(first << 4 | digit)
                    high = nil
                } else {
                    high = digit
                }
            }
            return true
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 97...102: byte - 87
        case 65...70: byte - 55
        default: nil
        }
    }
}
