import VigilModel

/// A measurement with its tags, taken apart by the strict grammar.
///
/// Only keys that are new come here.
struct LineKey {
    /// Empty for `_`, whose fields are whole metric names.
    let measurement: String
    let labels: Labels

    /// Reads the key that lies between `start` and `end` of the cursor's bytes.
    init(_ cursor: ByteCursor, from start: Int, to end: Int, limits: LineLimits) throws(LineFault) {
        guard end - start <= limits.keyBytes else { throw LineFault(.keyLength, at: start + limits.keyBytes) }
        var parts = KeyParts(base: cursor.base, position: start, end: end)
        let written = try parts.text(until: .measurement)
        guard !written.isEmpty else { throw LineFault(.measurementMissing, at: start) }
        guard !written.utf8.starts(with: "__".utf8) else { throw LineFault(.measurementReserved, at: start) }
        measurement = written == "_" ? "" : written
        var tags: [String: String] = [:]
        while parts.position < end {
            parts.position += 1
            let tagStart = parts.position
            guard tags.count < limits.tags else { throw LineFault(.tagCount, at: tagStart) }
            let name = try parts.text(until: .tagName)
            guard parts.position < end, parts.byte == Byte.equals else {
                throw LineFault(.tagMalformed, at: parts.position)
            }
            parts.position += 1
            let value = try parts.text(until: .tagValue)
            guard parts.position >= end || parts.byte == Byte.comma else {
                throw LineFault(.tagMalformed, at: parts.position)
            }
            guard !name.isEmpty, !value.isEmpty else { throw LineFault(.tagEmpty, at: tagStart) }
            guard name != "tenant", !name.utf8.starts(with: "__".utf8) else {
                throw LineFault(.tagReserved, at: tagStart)
            }
            guard tags.updateValue(value, forKey: name) == nil else { throw LineFault(.tagDuplicate, at: tagStart) }
        }
        labels = Labels(tags)
    }
}

/// Reads escaped texts from a key.
///
/// A backslash before a comma, a space or (except in measurements) an equals sign takes its meaning away; before anything
/// else it is a backslash.
private struct KeyParts {
    enum Part {
        case measurement
        case tagName
        case tagValue
    }

    let base: UnsafePointer<UInt8>
    var position: Int
    let end: Int

    var byte: UInt8 { base[position] }

    mutating func text(until part: Part) throws(LineFault) -> String {
        let start = position
        var bytes: [UInt8] = []
        loop: while position < end {
            let byte = base[position]
            switch byte {
            case Byte.comma: break loop
            case Byte.equals where part != .measurement: break loop
            case Byte.backslash where position + 1 < end:
                let next = base[position + 1]
                let escapes =
                    next == Byte.comma || next == Byte.space || (next == Byte.equals && part != .measurement)
                if escapes { position += 1 }
                bytes.append(base[position])
            case 0: throw LineFault(.nullByte, at: position)
            default: bytes.append(byte)
            }
            position += 1
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw LineFault(.notUTF8, at: start) }
        return text
    }
}

/// The name of a field without its escapes.
enum FieldName {
    /// Whether the backslash at the cursor takes the meaning of the next byte away.
    static func isEscape(_ cursor: ByteCursor) -> Bool {
        guard cursor.position + 1 < cursor.end else { return false }
        let next = cursor.base[cursor.position + 1]
        return next == Byte.comma || next == Byte.space || next == Byte.equals
    }

    static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<String, LineReason> {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            if bytes[position] == Byte.backslash, position + 1 < bytes.count {
                let next = bytes[position + 1]
                if next == Byte.comma || next == Byte.space || next == Byte.equals { position += 1 }
            }
            if bytes[position] == 0 { return .failure(.nullByte) }
            plain.append(bytes[position])
            position += 1
        }
        guard let text = String(validating: plain, as: UTF8.self) else { return .failure(.notUTF8) }
        return .success(text)
    }
}
