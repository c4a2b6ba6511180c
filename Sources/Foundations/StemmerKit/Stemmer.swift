import CStemmer

/// Takes the endings off words: the Snowball algorithm of one language.
///
/// For one thread; making one costs a few microseconds.
package struct Stemmer: ~Copyable {
    private let algorithm: OpaquePointer

    /// `nil` when Snowball does not know the language; `name` is its English name in lower case.
    package init?(_ name: String) {
        guard let algorithm = sb_stemmer_new(name, "UTF_8") else { return nil }
        self.algorithm = algorithm
    }

    deinit { sb_stemmer_delete(algorithm) }

    /// The stem of a word in lower case.
    package func stem(_ word: String) -> String {
        var word = word
        return word.withUTF8 { bytes in
            guard let stem = sb_stemmer_stem(algorithm, bytes.baseAddress, Int32(clamping: bytes.count)) else {
                return nil
            }
            let count = Int(sb_stemmer_length(algorithm))
            return String(decoding: UnsafeBufferPointer(start: stem, count: count), as: UTF8.self)
        } ?? word
    }
}
