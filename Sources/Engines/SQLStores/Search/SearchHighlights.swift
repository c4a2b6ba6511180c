import VigilPorts

/// Shows where in a text the words stand that were looked for.
enum SearchHighlights {
    /// How many words an excerpt has at most.
    static let excerptWords = 30

    /// The whole text with the words marked.
    static func marked(_ text: String, _ language: SearchLanguage, _ question: SearchQuestion) -> [SearchPiece] {
        let words = SearchWords(text, language).words
        return pieces(of: text, text.startIndex..<text.endIndex, words[...], question)
    }

    /// The piece of the text with the most words that were looked for.
    static func excerpt(_ text: String, _ language: SearchLanguage, _ question: SearchQuestion) -> [SearchPiece] {
        let words = SearchWords(text, language).words
        guard words.count > excerptWords else { return marked(text, language, question) }
        let found = words.map { question.matches($0) ? 1 : 0 }
        var count = found[..<excerptWords].reduce(0, +)
        var best = (count: count, start: 0)
        for start in 1...(words.count - excerptWords) {
            count += found[start + excerptWords - 1] - found[start - 1]
            if count > best.count { best = (count, start) }
        }
        // A few words before the first that was found.
        var first = best.start
        if best.count > 0, let match = found[best.start...].firstIndex(of: 1) {
            first = min(max(0, match - 5), words.count - excerptWords)
            let kept = found[first..<first + excerptWords].reduce(0, +)
            if kept < best.count { first = best.start }
        }
        let shown = words[first..<first + excerptWords]
        let start = first == 0 ? text.startIndex : words[first].range.lowerBound
        let end = first + excerptWords == words.count ? text.endIndex : words[first + excerptWords - 1].range.upperBound
        var result = pieces(of: text, start..<end, shown, question)
        if first > 0 { result.insert(SearchPiece("… ", isMatch: false), at: 0) }
        if first + excerptWords < words.count { result.append(SearchPiece(" …", isMatch: false)) }
        return result
    }

    private static func pieces(
        of text: String, _ range: Range<String.Index>, _ words: ArraySlice<SearchWords.Word>, _ question: SearchQuestion
    ) -> [SearchPiece] {
        var result: [SearchPiece] = []
        var position = range.lowerBound
        for word in words where question.matches(word) {
            if position < word.range.lowerBound {
                result.append(SearchPiece(String(text[position..<word.range.lowerBound]), isMatch: false))
            }
            result.append(SearchPiece(String(text[word.range]), isMatch: true))
            position = word.range.upperBound
        }
        if position < range.upperBound {
            result.append(SearchPiece(String(text[position..<range.upperBound]), isMatch: false))
        }
        return result
    }
}
