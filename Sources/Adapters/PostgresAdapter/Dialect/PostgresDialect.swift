package import VigilPorts

/// How PostgreSQL says what engines say differently.
package struct PostgresDialect: SQLDialect {
    package init() {}

    package var name: String { "postgresql" }

    package func jsonText(_ column: SQL, _ path: [String]) -> SQL {
        "(\(column) #>> CAST(\(WireArray.literal(path.map(SQLValue.text))) AS text[]))"
    }

    package func containsText(_ text: SQL, _ part: String) -> SQL {
        // The C collation lowers ASCII letters only, as SQLite does, whatever the database's own.
        "(position(lower(CAST(\(part) AS text) COLLATE \"C\") IN lower(\(text) COLLATE \"C\")) > 0)"
    }

    package func joinedText(_ expression: SQL, separator: String, orderBy: SQL) -> SQL {
        "string_agg(CAST(\(expression) AS text), CAST(\(separator) AS text) ORDER BY \(orderBy))"
    }

    package func jsonList(_ expression: SQL) -> SQL {
        "coalesce(jsonb_agg(\(expression)), CAST('[]' AS jsonb))"
    }

    package func lesser(_ left: SQL, _ right: SQL) -> SQL {
        "least(\(left), \(right))"
    }

    package func greater(_ left: SQL, _ right: SQL) -> SQL {
        "greatest(\(left), \(right))"
    }

    package var forUpdateSkippingLocked: SQL { " FOR UPDATE SKIP LOCKED" }

    package func type(named placeholder: String) -> String? {
        switch placeholder {
        case "id": "UUID"
        // Byte order, as in SQLite, whatever the database's own collation.
        case "text": "TEXT COLLATE \"C\""
        case "time", "int": "BIGINT"
        case "bool": "BOOLEAN"
        case "json": "JSONB"
        case "real": "DOUBLE PRECISION"
        case "bytes": "BYTEA"
        case "strict": ""
        default: nil
        }
    }
}
