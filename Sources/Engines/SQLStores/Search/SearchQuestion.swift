import VigilPorts

/// A query read: its conditions, and which words of a document to mark.
struct SearchQuestion: Sendable {
    let query: FullTextQuery
    private let stems: Set<String>
    private let words: Set<String>
    private let prefix: String?

    /// - Throws: `limit` when the query is too long.
    init(_ query: SearchQuery) throws(StoreError) {
        guard query.text.count <= SearchQuery.charactersMax else {
            throw StoreError(
                .limit, "A query has too many characters", details: ["limit": String(SearchQuery.charactersMax)])
        }
        var clauses: [FullTextQuery.Clause] = []
        for (part, isExcluded) in Self.parts(of: query.text) {
            let words = SearchWords(part, query.language).words.filter { !$0.text.isEmpty && !$0.stem.isEmpty }
            // What is written in one piece (P-101, 10.5) is looked for in one piece.
            guard !words.isEmpty else { continue }
            clauses.append(
                FullTextQuery.Clause(
                    stems: words.map(\.stem), words: words.map(\.text), isExcluded: isExcluded))
        }
        let count = clauses.reduce(0) { $0 + $1.words.count }
        guard count <= SearchQuery.wordsMax else {
            throw StoreError(.limit, "A query has too many words", details: ["limit": String(SearchQuery.wordsMax)])
        }
        var prefix: String?
        if query.lastIsPrefix, let last = clauses.indices.last, !clauses[last].isExcluded,
            let character = query.text.last, character.isLetter || character.isNumber
        {
            clauses[last].isPrefix = true
            prefix = clauses[last].words.last
        }
        self.prefix = prefix
        let shown = clauses.filter { !$0.isExcluded }
        stems = Set(shown.flatMap(\.stems))
        words = Set(shown.flatMap(\.words))
        self.query = FullTextQuery(clauses)
    }

    /// Whether a word of a document is one that was looked for.
    func matches(_ word: SearchWords.Word) -> Bool {
        stems.contains(word.stem) || words.contains(word.text) || prefix.map(word.text.hasPrefix) ?? false
    }

    /// Cuts at spaces and quotes; a minus before a piece excludes it.
    private static func parts(of text: String) -> [(text: String, isExcluded: Bool)] {
        var result: [(text: String, isExcluded: Bool)] = []
        var current = ""
        var isQuoted = false
        var isExcluded = false
        func end() {
            if !current.isEmpty { result.append((current, isExcluded)) }
            current = ""
            isExcluded = false
        }
        for character in text {
            if character == "\"" {
                let excludes = isExcluded
                end()
                // The minus stood before the quote.
                isExcluded = isQuoted ? false : excludes
                isQuoted.toggle()
            } else if !isQuoted, character.isWhitespace {
                end()
            } else if !isQuoted, current.isEmpty, !isExcluded, character == "-" {
                isExcluded = true
            } else {
                current.append(character)
            }
        }
        end()
        return result
    }
}
