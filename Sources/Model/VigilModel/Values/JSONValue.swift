import Foundation

/// Any JSON value.
///
/// Object members keep no order; ``canonicalText`` sorts them at every depth.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package static let emptyObject = JSONValue.object([:])

    /// - Throws: `DecodingError` when `text` is not JSON.
    package init(parsing text: String) throws {
        var text = text
        let quick: JSONValue? = text.withUTF8 { bytes in
            var reader = JSONReader(bytes)
            guard let value = try? reader.value() else { return nil }
            reader.skipBlanks()
            return reader.position == bytes.count ? value : nil
        }
        // What our reader refuses, the decoder may still take, and otherwise it says in the usual words what is wrong.
        self = try quick?.withWholeIntegers ?? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// With every number that is one as an integer: `1.0` and `1` are the same number.
    private var withWholeIntegers: JSONValue {
        switch self {
        case .number(let value): Int64(exactly: value).map { .integer($0) } ?? self
        case .array(let elements): .array(elements.map(\.withWholeIntegers))
        case .object(let members): .object(members.mapValues(\.withWholeIntegers))
        default: self
        }
    }

    package subscript(_ name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The value as a number; an integer is one too.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    package var members: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }
    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The one text that equal values share: members sorted at every depth, no blanks.
    ///
    /// Hash this, never another text.
    package var canonicalText: String {
        // A JSONValue that holds NaN or an infinity cannot be written; reading never makes one.
        guard isFinite else { return "null" }
        var json = JSONBytes(capacity: 256)
        json.canonical(self)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// Whether it holds no NaN and no infinity.
    private var isFinite: Bool {
        switch self {
        case .number(let value): value.isFinite
        case .array(let elements): elements.allSatisfy(\.isFinite)
        case .object(let members): members.values.allSatisfy(\.isFinite)
        default: true
        }
    }
}

extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
