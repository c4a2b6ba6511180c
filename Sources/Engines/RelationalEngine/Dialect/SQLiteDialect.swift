package import VigilPorts

/// How SQLite writes what the dialects write differently.
package struct SQLiteDialect: SQLDialect {
    package init() {}

    package var name: String { "sqlite" }

    package func jsonText(_ column: SQL, _ path: [String]) -> SQL {
        // Member names stand in quotes inside the path, which is bound like every value.
        let location = path.reduce("$") { $0 + ".\"" + $1.replacing("\"", with: "\\\"") + "\"" }
        return "CAST(json_extract(\(column), \(location)) AS TEXT)"
    }

    package func containsText(_ text: SQL, _ part: String) -> SQL {
        let escaped = part.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        return "\(text) LIKE \("%" + escaped + "%") ESCAPE '\\'"
    }

    package func joinedText(_ expression: SQL, separator: String, orderBy: SQL) -> SQL {
        // SQLite 3.40 has no ORDER BY inside an aggregate, but a frame over a window keeps one.
        "group_concat(\(expression), \(separator))"
    }

    package func jsonList(_ expression: SQL) -> SQL { "json_group_array(\(expression))" }
    package func lesser(_ left: SQL, _ right: SQL) -> SQL { "min(\(left), \(right))" }
    package func greater(_ left: SQL, _ right: SQL) -> SQL { "max(\(left), \(right))" }

    /// Nothing: a write transaction of SQLite is alone anyway.
    package var forUpdateSkippingLocked: SQL { "" }

    package func type(named placeholder: String) -> String? {
        switch placeholder {
        case "id", "text", "json": "TEXT"
        case "time", "int", "bool": "INTEGER"
        case "real": "REAL"
        case "bytes": "BLOB"
        case "strict": "STRICT"
        default: nil
        }
    }
}
