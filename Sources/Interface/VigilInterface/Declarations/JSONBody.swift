import Foundation
import VigilModel
package import VigilServices

/// Reads JSON bodies, and says in the words of the sender what is wrong with them.
package enum JSONBody {
    /// A member that no field of `type` is is refused: a misspelt one would be believed to hold.
    ///
    /// - Throws: `invalid`, naming the path of the field and the reason.
    package static func decode<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws(ServiceError) -> Body {
        guard !bytes.isEmpty else {
            throw ServiceError(.invalid, "request.json", "The body is empty; it must be JSON.")
        }
        if let text = String(validating: bytes, as: UTF8.self), let value = try? JSONValue(parsing: text) {
            try BodyForm.of(type).refuseUnknown(in: value)
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw fault(of: error, in: type)
        } catch let error as ServiceError {
            throw error
        } catch {
            throw ServiceError(.invalid, "request.json", "The body is not JSON.")
        }
    }

    private static func fault(of error: DecodingError, in type: any Decodable.Type) -> ServiceError {
        switch error {
        case .keyNotFound(let key, let context):
            .invalid(path(context.codingPath + [key]), "is missing", code: "request.field")
        case .typeMismatch(let type, let context):
            .invalid(path(context.codingPath), "must be \(noun(for: type))", code: "request.field")
        case .valueNotFound(let type, let context):
            .invalid(path(context.codingPath), "must be \(noun(for: type)), not null", code: "request.field")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            ServiceError(.invalid, "request.json", "The body is not JSON.")
        case .dataCorrupted(let context):
            .invalid(
                path(context.codingPath), reason(context.debugDescription, at: context.codingPath, in: type),
                code: "request.field")
        @unknown default:
            ServiceError(.invalid, "request.json", "The body is not of the expected form.")
        }
    }

    /// The path as people write it: `readings[3].value`.
    private static func path(_ keys: [any CodingKey]) -> String {
        let path = keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : "." + key.stringValue
            }
        }
        return path.isEmpty ? "body" : path
    }

    /// Our own decoders say "is not …"; what Foundation says may hold the value, which an error never shows.
    private static func reason(_ description: String, at path: [any CodingKey], in type: any Decodable.Type) -> String {
        if description.hasPrefix("is not ") { return description }
        guard let allowed = BodyForm.of(type).allowed(at: path) else { return "has a value that is not allowed" }
        return "must be one of \(allowed.joined(separator: ", "))"
    }

    private static func noun(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is any Collection.Type where !(type is any ExpressibleByDictionaryLiteral.Type): "a list"
        default: "an object"
        }
    }
}
