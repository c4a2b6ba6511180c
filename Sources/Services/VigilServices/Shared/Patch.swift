/// What a change does to one value that may be absent: nothing, set it, or take it away.
///
/// In JSON an absent member keeps the value and `null` takes it away.
///
/// ```swift
/// struct SiteChange: Codable { var name: String?; var address: Patch<String> }
/// // {"name": "Home"} keeps the address, {"address": null} takes it away.
/// ```
package enum Patch<Value> {
    case keep
    case set(Value)
    case clear

    /// The value after the change of one that was `old`.
    package func applied(to old: Value?) -> Value? {
        switch self {
        case .keep: old
        case .set(let value): value
        case .clear: nil
        }
    }

    /// The value that is to be set, if any.
    package var value: Value? { if case .set(let value) = self { value } else { nil } }

    /// The same change of another form of the value.
    package func map<Other, Failure: Error>(_ transform: (Value) throws(Failure) -> Other) throws(Failure)
        -> Patch<Other>
    {
        switch self {
        case .keep: .keep
        case .set(let value): .set(try transform(value))
        case .clear: .clear
        }
    }
}

extension Patch: Sendable where Value: Sendable {}
extension Patch: Equatable where Value: Equatable {}

extension Patch: Codable where Value: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .clear : .set(try container.decode(Value.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if case .set(let value) = self { try container.encode(value) } else { try container.encodeNil() }
    }
}

extension KeyedDecodingContainer {
    /// Chosen by synthesized decoders over the general form: an absent member means "keep".
    package func decode<Value: Decodable & Encodable>(_ type: Patch<Value>.Type, forKey key: Key) throws
        -> Patch<Value>
    {
        // Asked in this way, the description of the API hears of the member and its type too.
        if let value = try decodeIfPresent(Value?.self, forKey: key) ?? nil { return .set(value) }
        return contains(key) ? .clear : .keep
    }
}

extension KeyedEncodingContainer {
    /// Chosen by synthesized encoders over the general form: "keep" writes nothing.
    package mutating func encode<Value: Decodable & Encodable>(_ patch: Patch<Value>, forKey key: Key) throws {
        switch patch {
        case .keep: break
        case .set(let value): try encode(value, forKey: key)
        case .clear: try encodeNil(forKey: key)
        }
    }
}
