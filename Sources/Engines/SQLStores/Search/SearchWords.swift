import Foundation
import StemmerKit
import VigilPorts

/// A text as words: where each stands, how it was written, and its stem.
///
/// The same for every engine, so that all find the same: the engines' own analysers differ in what a word is.
struct SearchWords: Sendable {
    struct Word: Sendable, Hashable {
        /// Folded: lower case, without accents.
        let text: String
        let stem: String
        let range: Range<String.Index>
    }

    /// Longer runs are cut off: nobody types them, and indexes refuse them.
    static let wordCharactersMax = 64

    let words: [Word]

    init(_ text: String, _ language: SearchLanguage) {
        let stemmer = language == .simple ? nil : Stemmer(language.rawValue)
        var words: [Word] = []
        // Stemming is the same for the same word: a text repeats its words.
        var stems: [String: String] = [:]
        var index = text.startIndex
        while index < text.endIndex {
            guard Self.isPart(text[index]) else {
                text.formIndex(after: &index)
                continue
            }
            let start = index
            while index < text.endIndex, Self.isPart(text[index]) { text.formIndex(after: &index) }
            let lower = text[start..<index].prefix(Self.wordCharactersMax).lowercased()
            let stem: String
            if let known = stems[lower] {
                stem = known
            } else {
                stem = Self.folded(Self.stem(lower, stemmer))
                stems[lower] = stem
            }
            words.append(Word(text: Self.folded(lower), stem: stem, range: start..<index))
        }
        self.words = words
    }

    private static func stem(_ word: String, _ stemmer: borrowing Stemmer?) -> String {
        switch stemmer {
        case .some(let stemmer): stemmer.stem(word)
        case .none: word
        }
    }

    private static func isPart(_ character: Character) -> Bool { character.isLetter || character.isNumber }

    /// Without accents and other marks, and of what is left only letters and digits, so that no engine cuts it again.
    static func folded(_ lower: String) -> String {
        if lower.utf8.allSatisfy({ $0 < 0x80 }) { return lower }
        var result = String.UnicodeScalarView()
        for scalar in lower.decomposedStringWithCompatibilityMapping.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
                .letterNumber, .otherNumber:
                result.append(scalar)
            default: break
            }
        }
        return String(result)
    }

    var joinedStems: String { words.lazy.map(\.stem).filter { !$0.isEmpty }.joined(separator: " ") }
    var joinedWords: String { words.lazy.map(\.text).filter { !$0.isEmpty }.joined(separator: " ") }
}
