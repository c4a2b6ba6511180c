import VigilModel

/// The types whose JSON is known without looking.
enum SchemaLeaf {
    static func schema(of type: Any.Type) -> JSONValue? {
        switch type {
        case is String.Type: text()
        case is Bool.Type: .object(["type": .string("boolean")])
        case is any FixedWidthInteger.Type: .object(["type": .string("integer")])
        case is any BinaryFloatingPoint.Type: .object(["type": .string("number")])
        case is Timestamp.Type: text(format: "date-time")
        case is JSONValue.Type: .emptyObject
        case is any IdentifierType.Type: text(format: "uuid")
        case let type as any SchemaDescribing.Type: type.jsonSchema
        case let type as any (CaseIterable & RawRepresentable).Type: enumeration(type)
        default: nil
        }
    }

    private static func text(format: String? = nil) -> JSONValue {
        var members: [String: JSONValue] = ["type": .string("string")]
        if let format { members["format"] = .string(format) }
        return .object(members)
    }

    private static func enumeration<Cases: CaseIterable & RawRepresentable>(_ type: Cases.Type) -> JSONValue? {
        let texts = type.allCases.compactMap { $0.rawValue as? String }
        guard !texts.isEmpty else {
            return type.allCases.first?.rawValue is any BinaryInteger ? .object(["type": .string("integer")]) : nil
        }
        return .object(["type": .string("string"), "enum": .array(texts.map { .string($0) })])
    }
}

/// Any ``Identifier``.
private protocol IdentifierType {}
extension Identifier: IdentifierType {}

/// The types that hold others.
enum SchemaContainer {
    case list(any Decodable.Type)
    case dictionary(any Decodable.Type)
    case optional(any Decodable.Type)

    init?(_ type: Any.Type) {
        guard let container = (type as? any ContainerType.Type)?.container else { return nil }
        self = container
    }
}

/// A container whose empty value stands for it while a type that holds it is described.
protocol ContainerType {
    static var container: SchemaContainer? { get }
    static var empty: Self { get }
}

extension Array: ContainerType {
    static var container: SchemaContainer? { (Element.self as? any Decodable.Type).map { .list($0) } }
    static var empty: Self { [] }
}

extension Set: ContainerType {
    static var container: SchemaContainer? { (Element.self as? any Decodable.Type).map { .list($0) } }
    static var empty: Self { [] }
}

extension Dictionary: ContainerType {
    static var container: SchemaContainer? { (Value.self as? any Decodable.Type).map { .dictionary($0) } }
    static var empty: Self { [:] }
}

extension Optional: ContainerType {
    static var container: SchemaContainer? { (Wrapped.self as? any Decodable.Type).map { .optional($0) } }
    static var empty: Self { nil }
}
