package import VigilPorts

/// How SQLite writes what the dialects write differently.
package struct SQLiteDialect: SQLDialect {
    package init() {}

    package var name: String { "sqlite" }

    package func jsonText(_ column: SQL, _ path: [String]) -> SQL {
        guard path.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C } }) else {
            return memberText(column, path)
        }
        // Member names stand in quotes inside the path, which is bound like every value.
        let location = path.reduce("$") { $0 + ".\"" + $1 + "\"" }
        return "CAST(json_extract(\(column), \(location)) AS TEXT)"
    }

    /// For names with quotes and backslashes, which a path of SQLite 3.40 cannot write: member by member.
    private func memberText(_ column: SQL, _ path: [String]) -> SQL {
        let holder = path.dropLast().reduce(column) { inner, name in
            "(SELECT value FROM json_each(\(inner)) WHERE key = \(name) AND type = 'object')"
        }
        return "(SELECT CAST(value AS TEXT) FROM json_each(\(holder)) WHERE key = \(path.last ?? ""))"
    }

    package func containsText(_ text: SQL, _ part: String) -> SQL {
        let escaped = part.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        return "\(text) LIKE \("%" + escaped + "%") ESCAPE '\\'"
    }

    package func joinedText(_ expression: SQL, separator: String, orderBy: SQL) -> SQL {
        // SQLite 3.40 has no ORDER BY inside an aggregate: SQLiteKit adds one that takes the key beside the value.
        var parts = orderBy.parts
        var isDescending = false
        if case .text(let last)? = parts.last, last.uppercased().hasSuffix(" DESC") {
            parts[parts.count - 1] = .text(String(last.dropLast(5)))
            isDescending = true
        }
        return "vigil_joined(\(expression), \(separator), \(SQL(parts: parts)), \(isDescending))"
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
