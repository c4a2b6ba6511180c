import Foundation
import HTTPTypes
import VigilInterface
import VigilServices

/// Finds what a request shows to say who sends it.
enum CredentialReader {
    /// The credential, or `nil` when none is shown.
    ///
    /// Only line protocol takes the query items (`takesQuery`).
    /// A header wins over the query items `u` and `p` of the line protocol, and those win over a cookie: what a program
    /// says on purpose counts more than what a browser adds by itself.
    /// - Throws: `unauthenticated` for an `Authorization` field that cannot be read.
    static func credential(
        in headers: HTTPFields, query: [FormItems.Item], takesQuery: Bool, isSecure: Bool
    ) throws(ServiceError) -> Credential? {
        if let field = headers[.authorization] { return try credential(ofField: field) }
        if takesQuery, let secret = query.first(where: { $0.name == "p" })?.value, !secret.isEmpty {
            return .basic(name: query.first { $0.name == "u" }?.value ?? "", secret: secret)
        }
        return SessionCookie.value(in: headers, isSecure: isSecure).map { .cookie($0) }
    }

    private static func credential(ofField field: String) throws(ServiceError) -> Credential {
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw unreadable }
        let value = trimmed(parts[1])
        switch parts[0].lowercased() {
        case "bearer": return .bearer(value)
        case "token": return .token(value)
        case "basic":
            guard let data = Data(base64Encoded: value), let text = String(data: data, encoding: .utf8),
                let colon = text.firstIndex(of: ":")
            else { throw unreadable }
            return .basic(name: String(text[..<colon]), secret: String(text[text.index(after: colon)...]))
        default: throw unreadable
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = text.utf8.first, let last = text.utf8.last, isBlank(first) || isBlank(last) else {
            return String(text)
        }
        return text.trimmingCharacters(in: .whitespaces)
    }

    private static var unreadable: ServiceError {
        ServiceError(
            .unauthenticated, "auth.header", "The Authorization field must be Bearer, Token or Basic with a credential."
        )
    }
}
