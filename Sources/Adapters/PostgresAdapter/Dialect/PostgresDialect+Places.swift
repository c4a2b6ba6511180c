package import VigilModel
package import VigilPorts

extension PostgresDialect {
    package func fullTextMatches(_ query: FullTextQuery, tenant: TenantID) -> SQL {
        let text = query.clauses.map { clause in
            (clause.isExcluded ? "!" : "") + Self.expression(clause)
        }.joined(separator: " & ")
        // The function looks at the tenant of the transaction alone, which is this one.
        return "SELECT number, rank FROM search_matches(CAST(\(text) AS tsquery))"
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
            geometry_features.number IN (SELECT geometry_in_box(\(box.west), \(box.south), \(box.east), \(box.north)))
            """
        }
        return "(\(parts.joined(" OR ")))"
    }

    /// None: the indexes are the table's own.
    package func beforeChange(of table: IndexedTable, where condition: SQL) -> [SQL] { [] }
    package func afterChange(of table: IndexedTable, where condition: SQL) -> [SQL] { [] }
}
