import VigilModel

/// What a type asked for while it was decoded.
final class Recording {
    struct Member {
        let name: String
        let type: any Decodable.Type
        let isRequired: Bool
    }

    private(set) var members: [Member] = []
    var isObject = false
    /// The schema of a type that is a single value.
    var single: JSONValue?

    var isEmpty: Bool { !isObject && single == nil }

    func note(_ name: String, _ type: any Decodable.Type, isRequired: Bool) {
        // A type may look twice (a list or a single value): what it needs, it needs.
        guard !members.contains(where: { $0.name == name }) else { return }
        members.append(Member(name: name, type: type, isRequired: isRequired))
    }
}

/// Gives every type that is decoded from it some value, and notes what was asked for.
struct RecordingDecoder: Decoder {
    let recording: Recording
    /// The text that single values hold.
    let text: String

    init(_ recording: Recording, text: String = "") {
        self.recording = recording
        self.text = text
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        recording.isObject = true
        return KeyedDecodingContainer(RecordingMembers<Key>(recording: recording))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Unrecordable(what: "a list by hand") }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        RecordingSingleValue(recording: recording, text: text)
    }

    struct Unrecordable: Error {
        let what: String
    }

    /// Texts that types which check their text take, the most usual first.
    private static let texts = [
        "", "a", "a:b", "00000000-0000-7000-8000-000000000000", "2000-01-01T00:00:00Z", "0", "1s", "PT1S", "UTC",
        "a@b.c",
        "https://localhost/", "127.0.0.1", "EUR", "#000000",
    ]

    /// Some value of `type`, whatever it is.
    static func example<Value: Decodable>(of type: Value.Type) throws -> Value {
        if let value = plainExample(of: type) as? Value { return value }
        var failure: any Error = Unrecordable(what: "\(type)")
        for text in texts {
            do {
                return try Value(from: RecordingDecoder(Recording(), text: text))
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func plainExample(of type: Any.Type) -> Any? {
        switch type {
        case is String.Type: ""
        case is Bool.Type: false
        case let type as any FixedWidthInteger.Type: zero(type)
        case is Double.Type: 0.0
        case is Float.Type: Float(0)
        case is JSONValue.Type: JSONValue.null
        case let type as any SchemaDescribing.Type: type.example
        case let type as any ContainerType.Type: type.empty
        case let type as any (CaseIterable & RawRepresentable).Type: first(type)
        default: nil
        }
    }

    private static func zero<Number: FixedWidthInteger>(_ type: Number.Type) -> Any { Number.zero }
    private static func first<Cases: CaseIterable>(_ type: Cases.Type) -> Any? { type.allCases.first }
}

private struct RecordingMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recording: Recording

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func contains(_ key: Key) -> Bool { false }
    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        recording.note(key.stringValue, type, isRequired: true)
        return try RecordingDecoder.example(of: type)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) -> Value? {
        recording.note(key.stringValue, type, isRequired: false)
        return nil
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) -> Bool? { absent(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) -> String? { absent(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) -> Double? { absent(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) -> Float? { absent(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) -> Int? { absent(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) -> Int8? { absent(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) -> Int16? { absent(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) -> Int32? { absent(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) -> Int64? { absent(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) -> UInt? { absent(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) -> UInt8? { absent(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) -> UInt16? { absent(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) -> UInt32? { absent(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) -> UInt64? { absent(type, key) }

    private func absent<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? {
        recording.note(key.stringValue, type, isRequired: false)
        return nil
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    {
        throw RecordingDecoder.Unrecordable(what: "a nested object by hand")
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw RecordingDecoder.Unrecordable(what: "a nested list by hand")
    }

    func superDecoder() -> any Decoder { RecordingDecoder(recording) }
    func superDecoder(forKey key: Key) -> any Decoder { RecordingDecoder(recording) }
}

private struct RecordingSingleValue: SingleValueDecodingContainer {
    let recording: Recording
    let text: String

    var codingPath: [any CodingKey] { [] }
    func decodeNil() -> Bool { false }

    func decode(_ type: String.Type) -> String {
        note(type)
        return text
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        note(type)
        if let text = text as? Value { return text }
        return try RecordingDecoder.example(of: type)
    }

    private func note(_ type: any Decodable.Type) {
        guard recording.single == nil else { return }
        var catalogue = SchemaCatalogue()
        recording.single = catalogue.schema(of: type)
    }
}
