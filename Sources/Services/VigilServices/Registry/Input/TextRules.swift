import Foundation
import VigilModel

/// What names, codes and the like may look like.
enum TextRules {
    /// A name for people: 1 to 255 characters, no control characters; blanks at the ends are dropped.
    static func name(_ text: String, field: String = "name", max: Int = 255) throws(ServiceError) -> String {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...max).contains(trimmed.count) else {
            throw .invalid(field, "must have 1 to \(max) characters", code: "request.field")
        }
        guard trimmed.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw .invalid(field, "must not have control characters", code: "request.field")
        }
        return trimmed
    }

    /// A natural key: 1 to 100 letters, digits and `_ - .`, and not in the form of a UUID, because the API takes either.
    static func code(_ text: String, field: String = "code") throws(ServiceError) -> String {
        guard (1...100).contains(text.count),
            text.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == "." })
        else { throw .invalid(field, "must be 1 to 100 letters, digits or _ - .", code: "request.field") }
        guard DeviceID(text) == nil else {
            throw .invalid(field, "must not look like an identifier", code: "request.field")
        }
        return text
    }

    /// A word that programs compare: 1 to 64 of `a-z 0-9 _ -`.
    static func word(_ text: String, field: String) throws(ServiceError) -> String {
        let isWord = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
        guard isWord, (1...64).contains(text.utf8.count) else {
            throw .invalid(field, "must be 1 to 64 of the characters a-z 0-9 _ -", code: "request.field")
        }
        return text
    }

    static func timeZone(_ text: String) throws(ServiceError) -> String {
        guard text.utf8.count <= 64, TimeZone(identifier: text) != nil else {
            throw .invalid("timeZone", "must be a name of the IANA time zone database", code: "request.field")
        }
        return text
    }

    static func json(_ value: JSONValue, field: String, bytesMax: Int) throws(ServiceError) -> JSONValue {
        guard value.members != nil else { throw .invalid(field, "must be an object", code: "request.field") }
        guard value.canonicalText.utf8.count <= bytesMax else {
            throw .invalid(field, "must be at most \(bytesMax) bytes", code: "request.field")
        }
        guard value.depth <= 32 else {
            throw .invalid(field, "must be nested at most 32 deep", code: "request.field")
        }
        return value
    }

    static func interval(_ seconds: Double, field: String = "expectedIntervalSeconds") throws(ServiceError) -> Span {
        guard (1...(400 * 86_400)).contains(seconds) else {
            throw .invalid(field, "must be 1 second to 400 days", code: "request.field")
        }
        return Span(seconds: seconds)
    }

    /// A code made of a name: "Front Door" gives `front_door`; nothing usable gives `fallback`.
    static func code(from name: String, fallback: String) -> String {
        let words = name.lowercased().split { !($0.isLetter || $0.isNumber) }
        let code = String(words.joined(separator: "_").prefix(80))
        return code.isEmpty || DeviceID(code) != nil ? fallback : code
    }
}

extension JSONValue {
    /// How deep objects and lists are nested: 0 for a plain value.
    var depth: Int {
        switch self {
        case .object(let members): 1 + (members.values.map(\.depth).max() ?? 0)
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        default: 0
        }
    }
}
