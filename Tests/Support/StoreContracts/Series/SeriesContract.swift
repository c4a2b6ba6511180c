/// The contract of `SeriesStore`: one clause per sentence of its doc comments.
package enum SeriesContract {
    package typealias Clause = StoreClause<SeriesSubject>

    package static var clauses: [Clause] {
        appending + reading + windows + latest + listing + removing + scopes + lifetime + tiers
    }
}
