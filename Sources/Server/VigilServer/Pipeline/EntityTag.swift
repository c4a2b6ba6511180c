import Crypto
import Foundation
import HTTPTypes
import VigilInterface

/// Answers 304 to whom already has what is asked for.
enum EntityTag {
    /// A body that is larger than this gets no tag of its own: hashing it would cost more than it saves.
    static let largestHashedBody = 1 << 18

    static func applied(to response: Response, _ request: Request) -> Response {
        guard request.method == .get || request.method == .head, response.status == .ok else { return response }
        var response = response
        let version = response.headers[.eTag]?.trimmingCharacters(in: ["\""])
        if version == nil || version.flatMap({ Int($0) }) != nil {
            guard case .bytes(let bytes) = response.body, bytes.count <= largestHashedBody else { return response }
            let digest = Data(SHA256.hash(data: Data(bytes)).prefix(12)).base64EncodedString()
            // A view shows more than its version counts, such as when a device was heard: both make the tag.
            response.headers[.eTag] = "W/\"\(version.map { $0 + "." } ?? "")\(digest)\""
        }
        guard let tag = response.headers[.eTag], let asked = request.headers[.ifNoneMatch], matches(asked, tag) else {
            return response
        }
        response.status = .notModified
        response.body = .none
        response.headers[.contentType] = nil
        return response
    }

    /// Weak comparison (RFC 9110, 8.8.3.2).
    private static func matches(_ asked: String, _ tag: String) -> Bool {
        func strong(_ text: some StringProtocol) -> String {
            let trimmed = text.trimmingCharacters(in: .whitespaces)
            return trimmed.hasPrefix("W/") ? String(trimmed.dropFirst(2)) : trimmed
        }
        return asked == "*" || asked.split(separator: ",").contains { strong($0) == strong(tag) }
    }
}
