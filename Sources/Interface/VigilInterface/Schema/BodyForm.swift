import Synchronization
import VigilModel
import VigilServices

/// What the JSON of a type may hold, for telling a sender what is wrong with a body.
///
/// Made once for each type from its own decoding, as the API's description is.
final class BodyForm: Sendable {
    private let root: JSONValue
    private let named: [String: JSONValue]

    private static let known = Mutex<[ObjectIdentifier: BodyForm]>([:])
    /// More faults are not told.
    private static let faultsMax = 20

    private init(_ type: any Decodable.Type) {
        var catalogue = SchemaCatalogue()
        root = catalogue.schema(of: type)
        named = catalogue.named
    }

    static func of(_ type: any Decodable.Type) -> BodyForm {
        let key = ObjectIdentifier(type)
        if let form = known.withLock({ $0[key] }) { return form }
        let form = BodyForm(type)
        known.withLock { $0[key] = form }
        return form
    }

    // MARK: - Members that nobody reads

    /// - Throws: `invalid` that names each member which is no field, and the field that was perhaps meant: what nobody reads
    ///   would be believed to hold.
    func refuseUnknown(in value: JSONValue) throws(ServiceError) {
        var faults: [FieldFault] = []
        look(at: value, root, path: "", &faults)
        guard let first = faults.first else { return }
        throw ServiceError(.invalid, "request.unknown_field", "\(first.field) \(first.reason)", fields: faults)
    }

    private func look(at value: JSONValue, _ schema: JSONValue, path: String, _ faults: inout [FieldFault]) {
        let schema = resolved(schema)
        switch value {
        case .object(let members):
            guard case .object(let properties)? = schema["properties"] else {
                if let each = schema["additionalProperties"] {
                    for (name, member) in members {
                        look(at: member, each, path: Self.joined(path, name), &faults)
                    }
                }
                return
            }
            for (name, member) in members.sorted(by: { $0.key < $1.key }) where faults.count < Self.faultsMax {
                let place = Self.joined(path, name)
                if let known = properties[name] {
                    look(at: member, known, path: place, &faults)
                } else {
                    faults.append(
                        FieldFault(
                            field: place, reason: "is no field" + Nearest.hint(for: name, among: properties.keys)))
                }
            }
        case .array(let elements):
            guard let items = schema["items"] else { return }
            for (index, element) in elements.enumerated() where faults.count < Self.faultsMax {
                look(at: element, items, path: "\(path)[\(index)]", &faults)
            }
        default: return
        }
    }

    /// A name comes from outside: it is cut, and shown without what is not printed.
    private static func joined(_ path: String, _ name: String) -> String {
        let name = String(String.UnicodeScalarView(name.unicodeScalars.filter { $0.value >= 0x20 }.prefix(64)))
        return path.isEmpty ? name : path + "." + name
    }

    // MARK: - Values

    /// The values that a field may have, where they can be counted.
    func allowed(at path: [any CodingKey]) -> [String]? {
        var schema = resolved(root)
        for key in path {
            let inner =
                key.intValue == nil
                ? schema["properties"]?[key.stringValue] ?? schema["additionalProperties"] : schema["items"]
            guard let inner else { return nil }
            schema = resolved(inner)
        }
        return schema["enum"]?.elements?.compactMap(\.text)
    }

    /// The schema behind a reference, and that of the value where it may also be null.
    private func resolved(_ schema: JSONValue) -> JSONValue {
        var schema = schema
        // An object of a name may hold one of its own name, but no reference leads to a reference for ever.
        for _ in 0..<8 {
            if let name = schema["$ref"]?.text?.split(separator: "/").last {
                schema = named[String(name)] ?? .emptyObject
            } else if let first = schema["anyOf"]?.elements?.first {
                schema = first
            } else {
                break
            }
        }
        return schema
    }
}
