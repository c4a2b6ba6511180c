package import VigilModel

/// Describes the JSON of Codable types, so that nothing is written twice: a view's own decoding says what it holds.
///
/// A type is decoded from a recorder that notes each key it is asked for, whether the key may be absent, and what stands
/// behind it. Types whose JSON cannot be found out this way conform to ``SchemaDescribing``.
package struct SchemaCatalogue {
    /// The named schemas, for `components/schemas`.
    package private(set) var named: [String: JSONValue] = [:]
    /// Types that could not be described; a test demands that there are none.
    package private(set) var failures: [String] = []
    private var names: [ObjectIdentifier: String] = [:]

    package init() {}

    /// The schema of `type`: a reference for objects, the schema itself for everything else.
    package mutating func schema(of type: any Decodable.Type) -> JSONValue {
        if let known = SchemaLeaf.schema(of: type) { return known }
        if let container = SchemaContainer(type) { return schema(of: container) }
        if let name = names[ObjectIdentifier(type)] { return Self.reference(name) }
        let name = unusedName(for: type)
        names[ObjectIdentifier(type)] = name
        let recording = Recording()
        do {
            _ = try type.init(from: RecordingDecoder(recording))
        } catch {
            // A single value that refuses our text has still said what it is.
            if recording.single == nil { failures.append("\(name): \(error)") }
        }
        guard recording.isObject else {
            names[ObjectIdentifier(type)] = nil
            return recording.single ?? .emptyObject
        }
        named[name] = object(recording, of: String(describing: type))
        return Self.reference(name)
    }

    private mutating func schema(of container: SchemaContainer) -> JSONValue {
        switch container {
        case .list(let element):
            .object(["type": .string("array"), "items": schema(of: element)])
        case .dictionary(let value):
            .object(["type": .string("object"), "additionalProperties": schema(of: value)])
        case .optional(let wrapped):
            .object(["anyOf": .array([schema(of: wrapped), .object(["type": .string("null")])])])
        }
    }

    private mutating func object(_ recording: Recording, of type: String) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for member in recording.members {
            properties[member.name] = described(schema(of: member.type), member.name, in: type)
        }
        let required = recording.members.filter(\.isRequired).map { JSONValue.string($0.name) }
        var schema: [String: JSONValue] = ["type": .string("object"), "properties": .object(properties)]
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    private func described(_ schema: JSONValue, _ member: String, in type: String) -> JSONValue {
        guard var members = schema.members else { return schema }
        if let meaning = SchemaWords.meaning(of: member, in: type) { members["description"] = .string(meaning) }
        if let choices = SchemaWords.choices(of: member, in: type), members["anyOf"] == nil {
            members["enum"] = .array(choices.map { .string($0) })
        }
        return .object(members)
    }

    private func unusedName(for type: any Decodable.Type) -> String {
        let plain = String(describing: type).replacing("<", with: "Of").filter { $0.isLetter || $0.isNumber }
        var name = plain
        var number = 2
        while names.values.contains(name) {
            name = "\(plain)\(number)"
            number += 1
        }
        return name
    }

    private static func reference(_ name: String) -> JSONValue {
        .object(["$ref": .string("#/components/schemas/\(name)")])
    }
}

/// A type that says itself what its JSON is.
package protocol SchemaDescribing {
    /// A JSON Schema (2020-12).
    static var jsonSchema: JSONValue { get }
    /// Some value, so that types which hold one can be described.
    static var example: Self { get }
}
