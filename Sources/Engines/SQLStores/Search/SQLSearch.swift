package import VigilModel
package import VigilPorts

/// The search store as a table of the relational store, with the engine's own full-text index: FTS5 or tsvector.
///
/// Words are cut, folded and stemmed here, before the engine sees them, so that every engine finds the same.
package struct SQLSearch: SearchStore {
    let store: any RelationalStore

    package init(_ store: any RelationalStore) {
        self.store = store
    }

    package func put(_ documents: [SearchDocument], in scope: AccessScope) async throws(StoreError) {
        let tenant = try Self.tenant(of: scope)
        for document in documents {
            guard document.title.utf8.count + document.body.utf8.count <= SearchDocument.bytesMax else {
                throw StoreError(
                    .limit, "A document is too large", details: ["limit": String(SearchDocument.bytesMax)])
            }
        }
        guard !documents.isEmpty else { return }
        let rows = documents.map { Self.row(of: $0, tenant) }
        try await Self.table.put(rows, into: store, in: scope)
    }

    private static let table = ProjectedTable(
        name: "search_documents",
        columns: [
            "tenant_id", "kind", "key", "device_id", "location_id", "language", "title", "body", "tags", "title_stems",
            "body_stems", "words",
        ], indexed: .documents)

    private static func row(of document: SearchDocument, _ tenant: TenantID) -> [SQLValue] {
        let title = SearchWords(document.title, document.language)
        let body = SearchWords(document.body, document.language)
        return [
            tenant.sqlValue, .text(document.kind), .text(document.key), document.device?.sqlValue ?? .null,
            document.location?.sqlValue ?? .null, .text(document.language.rawValue), .text(document.title),
            .text(document.body), JSONValue.object(document.tags.mapValues(JSONValue.string)).sqlValue,
            .text(title.joinedStems), .text(body.joinedStems), .text(title.joinedWords + " " + body.joinedWords),
        ]
    }

    package func remove(_ kind: String, keys: [String], in scope: AccessScope) async throws(StoreError) {
        try await Self.table.remove(kind, keys: keys, from: store, in: scope)
    }

    package func removeAll(in scope: AccessScope) async throws(StoreError) {
        try await Self.table.removeAll(from: store, in: scope)
    }

    package func search(_ query: SearchQuery, in scope: AccessScope) async throws(StoreError) -> SearchResult {
        let tenant = try Self.tenant(of: scope)
        guard query.offset <= SearchQuery.offsetMax else {
            throw StoreError(.limit, "A search reaches too far", details: ["limit": String(SearchQuery.offsetMax)])
        }
        let question = try SearchQuestion(query)
        guard question.query.isAnswerable else { return SearchResult(hits: [], count: 0) }
        return try await Self.typed {
            try await store.read(.recent, in: scope) { transaction in
                try Self.answer(query, question, tenant, transaction)
            }
        }
    }

    private static func answer(
        _ query: SearchQuery, _ question: SearchQuestion, _ tenant: TenantID, _ transaction: any SQLTransaction
    ) throws -> SearchResult {
        let dialect = transaction.dialect
        var conditions: [SQL] = ["d.tenant_id = \(tenant)", transaction.scope.visibilitySQL("d")]
        if !query.kinds.isEmpty { conditions.append("d.kind IN \(query.kinds.sorted())") }
        for (name, value) in query.tags.sorted(by: { $0.key < $1.key }) {
            conditions.append("\(dialect.jsonText("d.tags", [name])) = \(value)")
        }
        let source: SQL = """
            FROM (\(dialect.fullTextMatches(question.query, tenant: tenant))) AS m
            JOIN search_documents AS d ON d.number = m.number WHERE \(conditions.joined(" AND "))
            """
        let count = try transaction.rows("SELECT count(*) AS n \(source)").first?.get("n", as: Int.self) ?? 0
        guard count > query.offset, query.limit > 0 else { return SearchResult(hits: [], count: count) }
        let rows = try transaction.rows(
            """
            SELECT d.kind, d.key, d.language, d.title, d.body, d.tags, m.rank AS rank \(source)
            ORDER BY m.rank DESC, d.kind, d.key LIMIT \(query.limit) OFFSET \(max(0, query.offset))
            """)
        return SearchResult(hits: try rows.map { try hit(of: $0, question) }, count: count)
    }

    private static func hit(of row: SQLRow, _ question: SearchQuestion) throws -> SearchHit {
        let language = SearchLanguage(rawValue: try row.get("language")) ?? .simple
        let tags = try row.get("tags", as: JSONValue.self).members ?? [:]
        return SearchHit(
            kind: try row.get("kind"), key: try row.get("key"), rank: try row.get("rank"),
            title: SearchHighlights.marked(try row.get("title"), language, question),
            excerpt: SearchHighlights.excerpt(try row.get("body"), language, question),
            tags: tags.compactMapValues(\.text))
    }

    // MARK: Shared with the geometry store

    static func tenant(of scope: AccessScope) throws(StoreError) -> TenantID {
        guard let tenant = scope.tenant else { throw StoreError(.invalid, "This needs a scope with a tenant") }
        return tenant
    }

    static func typed<Result>(_ body: () async throws -> Result) async throws(StoreError) -> Result {
        do {
            return try await body()
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.internalFault, "An error of an unknown kind")
        }
    }
}

extension AccessScope {
    /// Whether a row with `device_id` and `location_id` may be seen.
    func visibilitySQL(_ table: StaticString) -> SQL {
        guard case .assigned(let devices, let locations) = visibility else { return "1 = 1" }
        let table = SQL(unchecked: table.description)
        return "(\(table).device_id IN \(devices) OR \(table).location_id IN \(locations))"
    }
}

extension Migration {
    /// The table and the index of ``SQLSearch``.
    package static let search = Migration(
        embedded: "0009_search", folder: "Search/Migrations", text: EmbeddedFiles.text)
    /// The tables of ``SQLGeometry``.
    package static let geometry = Migration(
        embedded: "0010_geometry", folder: "Geometry/Migrations", text: EmbeddedFiles.text)
}
