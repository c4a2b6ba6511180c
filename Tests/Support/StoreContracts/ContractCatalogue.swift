/// All contracts by their port: what `stores.json`, `stores.md` and the tests of the promises go by.
package enum ContractCatalogue {
    package struct Entry: Sendable, Hashable {
        package let id: String
        package let sentence: String
    }

    /// The clauses of each port, in the order in which they are declared.
    ///
    /// The name of a port is what a test gives to ``ContractReport``.
    package static var ports: [(port: String, clauses: [Entry])] {
        [
            ("relational", entries(RelationalContract.clauses) + entries(DatabaseContract.clauses)),
            ("series", entries(SeriesContract.clauses)),
            ("search", entries(SearchContract.clauses)),
            ("geometry", entries(GeometryContract.clauses)),
            ("cache", entries(CacheContract.clauses)),
            ("locks", entries(LocksContract.clauses)),
            ("limits", entries(RateLimitsContract.clauses)),
            ("bus", entries(BusContract.clauses)),
            ("jobs", entries(JobsContract.clauses)),
            ("blobs", entries(BlobsContract.clauses)),
        ]
    }

    /// Which protocol of the ports each contract is for.
    package static let protocols = [
        "RelationalStore": "relational", "SQLTransaction": "relational", "SQLDialect": "relational",
        "SchemaMigrator": "relational", "SeriesStore": "series", "SampleCursor": "series", "SeriesTiering": "series",
        "Cache": "cache",
        "Locks": "locks", "RateLimits": "limits", "Bus": "bus", "JobQueue": "jobs", "BlobStore": "blobs",
        "SearchStore": "search", "GeometryStore": "geometry",
    ]

    /// Protocols of the ports that promise nothing a store could break.
    package static let notStores: Set<String> = [
        "TimeSource", "SQLConvertible", "StoreInspecting", "PoolReporting", "MailDelivery", "SeriesCare",
    ]

    private static func entries<Subject>(_ clauses: [StoreClause<Subject>]) -> [Entry] {
        clauses.map { Entry(id: $0.id, sentence: $0.sentence) }
    }
}
