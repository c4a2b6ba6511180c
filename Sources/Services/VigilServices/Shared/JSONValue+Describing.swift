import Foundation
package import VigilModel

extension JSONValue {
    /// A value as the JSON that it encodes to: views for the audit trail and the outbox.
    package init(describing value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        self = try JSONDecoder().decode(JSONValue.self, from: try encoder.encode(value))
    }
}
