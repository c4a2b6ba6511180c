import VigilInterface
import VigilServices

/// A request's path and query, taken apart.
struct RequestTarget: Sendable {
    /// Percent-encoded, as sent.
    let path: String
    let query: [FormItems.Item]

    /// - Throws: `invalid` for a target that is no path, or a query whose escapes are broken.
    init(_ target: String?, limit: Int) throws(ServiceError) {
        guard let target, target.utf8.first == UInt8(ascii: "/") else {
            throw ServiceError(.invalid, "request.target", "The request target is not a path.")
        }
        guard target.utf8.count <= limit else {
            throw ServiceError(.invalid, "request.target_length", "The request target is longer than \(limit) bytes.")
        }
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            (path, query) = (target, [])
            return
        }
        path = String(target[..<mark])
        guard let items = FormItems.parse(target[target.utf8.index(after: mark)...]) else {
            throw ServiceError(.invalid, "request.query", "The query is not well-formed.")
        }
        query = items
    }
}
