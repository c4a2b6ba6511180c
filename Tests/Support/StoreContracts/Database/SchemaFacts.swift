package import VigilPorts

/// What a database says of its own schema, on every engine alike.
package enum SchemaFacts {
    /// A foreign key: its columns, what it refers to, and what becomes of a row whose target is deleted.
    package struct Relation: Sendable, Hashable, Comparable {
        package let table: String
        package let columns: [String]
        package let target: String
        package let rule: String

        package init(table: String, columns: [String], target: String, rule: String) {
            self.table = table
            self.columns = columns
            self.target = target
            self.rule = rule
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.table, left.columns.joined(separator: ","), left.target)
                < (right.table, right.columns.joined(separator: ","), right.target)
        }
    }

    package static func relations(_ transaction: any SQLTransaction) throws -> [Relation] {
        transaction.dialect.name == "sqlite" ? try sqlite(transaction) : try postgresql(transaction)
    }

    private static func sqlite(_ transaction: any SQLTransaction) throws -> [Relation] {
        var found: [String: (table: String, columns: [String], target: String, rule: String)] = [:]
        for row in try transaction.rows(
            """
            SELECT t.name AS source, k.id AS id, k."from" AS col, k."table" AS target, k.on_delete AS rule
            FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS k WHERE t.type = 'table'
            ORDER BY t.name, k.id, k.seq
            """)
        {
            let table: String = try row.get("source")
            let key = "\(table) \(try row.get("id", as: Int.self))"
            let (target, rule): (String, String) = (try row.get("target"), try row.get("rule"))
            found[key, default: (table, [], target, rule)].columns.append(try row.get("col"))
        }
        return found.values.map {
            Relation(table: $0.table, columns: $0.columns, target: $0.target, rule: $0.rule.lowercased())
        }.sorted()
    }

    private static func postgresql(_ transaction: any SQLTransaction) throws -> [Relation] {
        try transaction.rows(
            """
            SELECT s.relname AS source, t.relname AS target, CAST(c.confdeltype AS text) AS rule,
                (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS names
            FROM pg_constraint c JOIN pg_class s ON s.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
            WHERE c.contype = 'f' AND c.connamespace = CAST(current_schema() AS regnamespace)
            """
        ).map { row in
            let rules = ["r": "restrict", "c": "cascade", "n": "set null", "a": "no action", "d": "set default"]
            return Relation(
                table: try row.get("source"),
                columns: try row.get("names", as: String.self).split(separator: ",").map(String.init),
                target: try row.get("target"), rule: rules[try row.get("rule"), default: "?"])
        }.sorted()
    }

    /// The columns of each index that holds every row of its table, by table.
    package static func indexes(_ transaction: any SQLTransaction) throws -> [String: [[String]]] {
        let sql: SQL =
            transaction.dialect.name == "sqlite"
            ? """
            SELECT t.name AS source, i.name AS name, c.name AS col
            FROM sqlite_schema AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
            WHERE t.type = 'table' AND i.partial = 0
            UNION ALL SELECT t.name, 'rowid', c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND c.pk = 1 AND c.type = 'INTEGER'
            """
            : """
            SELECT t.relname AS source, i.relname AS name, a.attname AS col
            FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
            CROSS JOIN LATERAL unnest(CAST(x.indkey AS int2[])) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
            WHERE x.indpred IS NULL AND k.place <= x.indnkeyatts
                AND t.relnamespace = CAST(current_schema() AS regnamespace)
            ORDER BY t.relname, i.relname, k.place
            """
        var columns: [String: [String: [String]]] = [:]
        for row in try transaction.rows(sql) {
            columns[try row.get("source"), default: [:]][try row.get("name"), default: []].append(try row.get("col"))
        }
        return columns.mapValues { Array($0.values) }
    }

    /// The foreign keys that no index begins with, in whatever order of the columns.
    package static func unindexed(_ transaction: any SQLTransaction) throws -> [Relation] {
        let indexes = try indexes(transaction)
        return try relations(transaction).filter { relation in
            !indexes[relation.table, default: []].contains {
                Set($0.prefix(relation.columns.count)) == Set(relation.columns)
            }
        }
    }
}
