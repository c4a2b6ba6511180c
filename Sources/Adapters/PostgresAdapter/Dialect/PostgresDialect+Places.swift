package import VigilModel
package import VigilPorts

extension PostgresDialect {
    package func fullTextMatches(_ query: FullTextQuery, tenant: TenantID) -> SQL {
        let text = query.clauses.map { clause in
            (clause.isExcluded ? "!" : "") + Self.expression(clause)
        }.joined(separator: " & ")
        // Weights of D, C, B, A: words as written, nothing, body, title. Long documents count for less.
        return """
            SELECT number, CAST(ts_rank('{0.05, 0.1, 0.2, 1.0}', terms, question, 1) AS double precision) AS rank
            FROM search_documents, CAST(\(text) AS tsquery) AS question
            WHERE terms @@ question AND tenant_id = \(tenant)
            """
    }

    /// Words hold letters and digits only, so in quotes they are never syntax.
    private static func expression(_ clause: FullTextQuery.Clause) -> String {
        var parts = ["(" + clause.stems.map { "'\($0)':AB" }.joined(separator: " <-> ") + ")"]
        if clause.words.count == 1 || clause.isPrefix {
            let words = clause.words.map { "'\($0)':D" }.joined(separator: " <-> ")
            parts.append("(" + (clause.isPrefix ? words.dropLast() + "*D" : words) + ")")
        }
        return "(" + parts.joined(separator: " | ") + ")"
    }

    package func boxTouches(_ boxes: [GeometryBox]) -> SQL {
        let parts = boxes.map { box -> SQL in
            """
            box(point(geometry_features.west, geometry_features.south), point(geometry_features.east,
                geometry_features.north)) && box(point(\(box.west), \(box.south)), point(\(box.east), \(box.north)))
            """
        }
        return "(\(parts.joined(" OR ")))"
    }

    /// None: the indexes are the table's own.
    package func beforeChange(of table: IndexedTable, where condition: SQL) -> [SQL] { [] }
    package func afterChange(of table: IndexedTable, where condition: SQL) -> [SQL] { [] }
}
