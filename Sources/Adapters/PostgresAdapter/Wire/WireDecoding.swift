import CLibPQ
import VigilPorts

/// Reads results, which arrive as text, into values by the types of their columns.
struct WireDecoding {
    let columns: [String]
    private let types: [UInt32]

    init(_ result: OpaquePointer) {
        let count = PQnfields(result)
        columns = (0..<count).map { PQfname(result, $0).map { String(cString: $0).lowercased() } ?? "" }
        types = (0..<count).map { PQftype(result, $0) }
    }

    func row(_ result: OpaquePointer, _ row: Int32) -> [SQLValue] {
        var values: [SQLValue] = []
        values.reserveCapacity(types.count)
        for (column, type) in types.enumerated() {
            let column = Int32(column)
            if PQgetisnull(result, row, column) != 0 {
                values.append(.null)
                continue
            }
            let length = Int(PQgetlength(result, row, column))
            let text = UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: length)
            values.append(Self.value(text, type))
        }
        return values
    }

    static func value(_ text: UnsafeRawBufferPointer, _ type: UInt32) -> SQLValue {
        switch type {
        case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.oid, PostgresType.xid,
            PostgresType.xid8:
            return integer(text).map(SQLValue.integer) ?? .text(String(decoding: text, as: UTF8.self))
        case PostgresType.bool: return .boolean(text.first == UInt8(ascii: "t"))
        case PostgresType.float8, PostgresType.float4: return real(text)
        // SUM and AVG of whole numbers are numeric here, while SQLite keeps to its two kinds of numbers.
        case PostgresType.numeric: return integer(text).map(SQLValue.integer) ?? real(text)
        case PostgresType.bytea: return .bytes(bytes(text))
        default: return .text(String(decoding: text, as: UTF8.self))
        }
    }

    private static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        var digits = text[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            // Downwards, because the smallest number has no positive counterpart.
            let (sum, carry) = shifted.subtractingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        guard !isNegative else { return value }
        return value == .min ? nil : -value
    }

    private static func real(_ text: UnsafeRawBufferPointer) -> SQLValue {
        let text = String(decoding: text, as: UTF8.self)
        return Double(text).map(SQLValue.real) ?? .text(text)
    }

    /// Reads `\x0aff…`.
    private static func bytes(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        func digit(_ byte: UInt8) -> UInt8 { byte <= UInt8(ascii: "9") ? byte - 48 : (byte | 0x20) - 87 }
        guard text.count >= 2 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: (text.count - 2) / 2) { buffer, count in
            count = buffer.count
            for index in 0..<count {
                buffer[index] = digit(text[2 + index * 2]) << 4 | digit(text[3 + index * 2])
            }
        }
    }
}
