import VigilInterface
import VigilServices

/// A request's path and query, taken apart.
struct RequestTarget: Sendable {
    /// Percent-encoded, as sent.
    let path: String
    let query: [FormItems.Item]

    /// - Throws: `invalid` for a target that is no path, or a query whose escapes are broken.
    init(_ target: String?, limit: Int) throws(ServiceError) {
        guard let target, target.hasPrefix("/") else {
            throw ServiceError(.invalid, "request.target", "The request target is not a path.")
        }
        guard target.utf8.count <= limit else {
            throw ServiceError(.invalid, "request.target_length", "The request target is longer than \(limit) bytes.")
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        guard let items = FormItems.parse(parts.count == 2 ? parts[1] : "") else {
            throw ServiceError(.invalid, "request.query", "The query is not well-formed.")
        }
        query = items
    }
}
