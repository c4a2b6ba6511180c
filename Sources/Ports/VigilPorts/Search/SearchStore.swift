package import VigilModel

/// Finds documents by their words.
///
/// A projection: it is filled from the truth and can be filled anew at any time. The tenant of every call is the
/// scope's; a scope without a tenant is refused with `invalid`.
///
/// Words are runs of letters and digits, compared without case and accents.
package protocol SearchStore: Sendable {
    /// Stores documents, all of them or none.
    ///
    /// One of the same kind and key replaces the earlier one whole, and of two in one call the later wins. A document
    /// that is larger than ``SearchDocument/bytesMax`` throws `limit`.
    func put(_ documents: [SearchDocument], in scope: AccessScope) async throws(StoreError)

    /// Removes documents of a kind. Removing what is not there is no error.
    func remove(_ kind: String, keys: [String], in scope: AccessScope) async throws(StoreError)

    /// Removes all documents of the tenant.
    func removeAll(in scope: AccessScope) async throws(StoreError)

    /// The documents that hold what the query says, the best first, and how many there are in all.
    ///
    /// Every word must be in the document, in title or body. A word is found as it was written, or by its stem in the
    /// language of query and document. Words in quotes must follow one another in one field. A word after a minus must
    /// not be there. When `lastIsPrefix` is set, the last word finds all words that begin with it. A query without
    /// words finds nothing; one that is too long throws `limit`.
    ///
    /// Only documents of the kinds and with the tags that are asked for are returned. A hit in the title counts for
    /// more than one in the body; hits of the same rank come in the order of kind and key. Nothing that the scope hides is
    /// returned or counted. Each hit shows its title and a piece of its body with the words that were found marked.
    func search(_ query: SearchQuery, in scope: AccessScope) async throws(StoreError) -> SearchResult
}

/// How words of a language lose their endings.
package enum SearchLanguage: String, Sendable, Hashable, CaseIterable, Codable {
    /// No endings are known: words are found as they are written.
    case simple
    case arabic, danish, dutch, english, finnish, french, german, hungarian, italian, norwegian, portuguese, romanian
    case russian, spanish, swedish, turkish
}

/// Something that can be found by its words.
package struct SearchDocument: Sendable, Hashable {
    /// The bytes of title and body together.
    package static let bytesMax = 256 * 1024

    /// What it is: `device`, `site`, `alert`.
    package var kind: String
    /// Its identifier within the kind.
    package var key: String
    /// Whose visibility decides who may find it: of neither, only those who see the whole tenant.
    package var device: DeviceID?
    package var location: LocationID?
    package var language: SearchLanguage
    package var title: String
    package var body: String
    /// What can be filtered by, exactly.
    package var tags: [String: String]

    package init(
        kind: String, key: String, device: DeviceID? = nil, location: LocationID? = nil,
        language: SearchLanguage = .english, title: String, body: String = "", tags: [String: String] = [:]
    ) {
        self.kind = kind
        self.key = key
        self.device = device
        self.location = location
        self.language = language
        self.title = title
        self.body = body
        self.tags = tags
    }
}

/// What is looked for.
package struct SearchQuery: Sendable, Hashable {
    package static let charactersMax = 1000
    package static let wordsMax = 32
    /// How far pages reach.
    package static let offsetMax = 10_000

    package var text: String
    package var language: SearchLanguage
    /// Only these kinds; all when empty.
    package var kinds: Set<String>
    package var tags: [String: String]
    package var lastIsPrefix: Bool
    package var offset: Int
    package var limit: Int

    package init(
        _ text: String, language: SearchLanguage = .english, kinds: Set<String> = [], tags: [String: String] = [:],
        lastIsPrefix: Bool = false, offset: Int = 0, limit: Int = 20
    ) {
        self.text = text
        self.language = language
        self.kinds = kinds
        self.tags = tags
        self.lastIsPrefix = lastIsPrefix
        self.offset = offset
        self.limit = limit
    }
}

package struct SearchResult: Sendable, Hashable {
    package let hits: [SearchHit]
    /// All that the query finds, on whatever page.
    package let count: Int

    package init(hits: [SearchHit], count: Int) {
        self.hits = hits
        self.count = count
    }
}

package struct SearchHit: Sendable, Hashable {
    package let kind: String
    package let key: String
    /// Greater is better; comparable within one result only.
    package let rank: Double
    package let title: [SearchPiece]
    /// The piece of the body with the most words that were found; its beginning when none is in it.
    package let excerpt: [SearchPiece]
    package let tags: [String: String]

    package init(
        kind: String, key: String, rank: Double, title: [SearchPiece], excerpt: [SearchPiece], tags: [String: String]
    ) {
        self.kind = kind
        self.key = key
        self.rank = rank
        self.title = title
        self.excerpt = excerpt
        self.tags = tags
    }
}

/// A piece of a text, and whether it is what was looked for.
package struct SearchPiece: Sendable, Hashable, Codable {
    package let text: String
    package let isMatch: Bool

    package init(_ text: String, isMatch: Bool) {
        self.text = text
        self.isMatch = isMatch
    }
}
