/// A question to an engine's full-text index, in words that are already folded and stemmed.
///
/// Words hold letters and digits only, so no engine can take them for syntax.
package struct FullTextQuery: Sendable, Hashable {
    /// One condition; all must hold.
    package struct Clause: Sendable, Hashable {
        /// Stems that follow one another in title or body.
        package var stems: [String]
        /// The words as they were written: one alone, or several of which the last is a beginning, are found by these too.
        package var words: [String]
        /// The word's beginning is enough.
        package var isPrefix: Bool
        /// What must not be there.
        package var isExcluded: Bool

        package init(stems: [String], words: [String], isPrefix: Bool = false, isExcluded: Bool = false) {
            self.stems = stems
            self.words = words
            self.isPrefix = isPrefix
            self.isExcluded = isExcluded
        }
    }

    package var clauses: [Clause]

    package init(_ clauses: [Clause]) {
        self.clauses = clauses
    }

    /// At least one clause, not all of them excluded: else there is nothing to look for.
    package var isAnswerable: Bool { clauses.contains { !$0.isExcluded } }
}
