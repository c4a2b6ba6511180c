package import VigilModel
package import VigilPorts

extension SQLiteDialect {
    package func fullTextMatches(_ query: FullTextQuery, tenant: TenantID) -> SQL {
        let wanted = query.clauses.filter { !$0.isExcluded }.map(Self.expression)
        let unwanted = query.clauses.filter(\.isExcluded).map(Self.expression)
        // The tenant is indexed as a phrase of its own, so that other tenants' documents are not even looked at.
        var text = "(tenant_id : \"\(tenant)\""
        for clause in wanted { text += " AND " + clause }
        text += ")"
        if !unwanted.isEmpty { text += " NOT (" + unwanted.joined(separator: " OR ") + ")" }
        return """
            SELECT rowid AS number, -bm25(search_text, 0.0, 8.0, 2.0, 0.5) AS rank FROM search_text
            WHERE search_text MATCH \(text)
            """
    }

    /// Words hold letters and digits only, so in quotes they are never syntax.
    private static func expression(_ clause: FullTextQuery.Clause) -> String {
        var parts = ["{title_stems body_stems} : \"\(clause.stems.joined(separator: " "))\""]
        if clause.words.count == 1 || clause.isPrefix {
            parts.append("words : \"\(clause.words.joined(separator: " "))\"" + (clause.isPrefix ? " *" : ""))
        }
        return "(" + parts.joined(separator: " OR ") + ")"
    }

    package func boxTouches(_ boxes: [GeometryBox]) -> SQL {
        let parts = boxes.map { box -> SQL in
            """
            geometry_features.number IN (SELECT number FROM geometry_boxes WHERE east >= \(box.west)
                AND west <= \(box.east) AND north >= \(box.south) AND south <= \(box.north))
            """
        }
        return "(\(parts.joined(" OR ")))"
    }

    package func beforeChange(of table: IndexedTable, where condition: SQL) -> [SQL] {
        switch table {
        case .documents:
            [
                """
                INSERT INTO search_text (search_text, rowid, tenant_id, title_stems, body_stems, words)
                SELECT 'delete', number, tenant_id, title_stems, body_stems, words FROM search_documents
                WHERE \(condition)
                """
            ]
        case .features:
            ["DELETE FROM geometry_boxes WHERE number IN (SELECT number FROM geometry_features WHERE \(condition))"]
        }
    }

    package func afterChange(of table: IndexedTable, where condition: SQL) -> [SQL] {
        switch table {
        case .documents:
            [
                """
                INSERT INTO search_text (rowid, tenant_id, title_stems, body_stems, words)
                SELECT number, tenant_id, title_stems, body_stems, words FROM search_documents WHERE \(condition)
                """
            ]
        case .features:
            [
                """
                INSERT INTO geometry_boxes (number, west, east, south, north)
                SELECT number, west, east, south, north FROM geometry_features WHERE \(condition)
                """
            ]
        }
    }
}
