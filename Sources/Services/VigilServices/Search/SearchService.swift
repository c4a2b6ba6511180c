import VigilModel
package import VigilPorts

/// Answers what people look for by words and by place.
///
/// The answers follow the truth within about a second: they come from projections.
package struct SearchService: Sendable {
    let relational: any RelationalStore
    let search: any SearchStore
    let geometry: any GeometryStore

    package init(stores: Stores, search: any SearchStore, geometry: any GeometryStore) {
        relational = stores.relational
        self.search = search
        self.geometry = geometry
    }

    /// Which kinds a caller may be told of, in the words of permissions.
    static let kinds = ["alert", "device", "location", "site"]

    /// The kinds asked for that the principal may read.
    ///
    /// - Throws: `invalid` for a kind that there is not; `forbidden` when none is left.
    static func kinds(_ asked: [String], of all: [String] = kinds, by principal: Principal) throws(ServiceError)
        -> Set<String>
    {
        for kind in asked where !all.contains(kind) {
            throw .invalid("kind", "must be one of \(all.joined(separator: ", "))", code: "search.kind")
        }
        let allowed = (asked.isEmpty ? all : asked).filter { principal.may(Permission($0, "read")) }
        guard !allowed.isEmpty else {
            throw ServiceError(.forbidden, "permission.missing", "This takes the permission to read it")
        }
        return Set(allowed)
    }

    // MARK: By words

    /// What holds the words of `text`, the best first.
    package func find(
        _ text: String, kinds: [String] = [], language: String? = nil, tags: [String: String] = [:],
        lastIsPrefix: Bool = true, offset: Int = 0, limit: Int = 20, by principal: Principal
    ) async throws -> FoundPage {
        guard (1...100).contains(limit) else { throw ServiceError.invalid("limit", "must be 1 to 100") }
        guard (0...SearchQuery.offsetMax).contains(offset) else {
            throw ServiceError.invalid("offset", "must be 0 to \(SearchQuery.offsetMax)")
        }
        guard let language = SearchLanguage(rawValue: language ?? "english") else {
            let names = SearchLanguage.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError.invalid("language", "must be one of \(names)", code: "search.language")
        }
        let query = SearchQuery(
            text, language: language, kinds: try Self.kinds(kinds, by: principal), tags: tags,
            lastIsPrefix: lastIsPrefix, offset: offset, limit: limit)
        do {
            let result = try await search.search(query, in: principal.requiredScope())
            return FoundPage(
                items: result.hits.map { hit in
                    FoundItem(
                        kind: hit.kind, id: hit.key, title: hit.title, excerpt: hit.excerpt, tags: hit.tags,
                        rank: hit.rank)
                }, total: result.count)
        } catch let error as StoreError where error.code == .limit {
            throw ServiceError.invalid("q", "is too long: at most \(SearchQuery.wordsMax) words", code: "search.limit")
        }
    }
}

/// A page of what was found by words.
package struct FoundPage: Codable, Sendable, Hashable {
    package var items: [FoundItem]
    /// All that was found, on whatever page.
    package var total: Int
}

package struct FoundItem: Codable, Sendable, Hashable {
    package var kind: String
    package var id: String
    package var title: [SearchPiece]
    /// The piece of the text with the most words that were found.
    package var excerpt: [SearchPiece]
    package var tags: [String: String]
    /// Greater is better; comparable within one answer only.
    package var rank: Double
}
